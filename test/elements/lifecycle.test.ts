import { aTimeout, expect } from '@open-wc/testing';
import { FakeCall } from '../support/fake-call.ts';
import { deep, drawn, joined, stage } from '../support/room.ts';

const disposed = (call: FakeCall): boolean => call.commands.some(([name]) => name === 'dispose');

describe('lifetime of <pm-room>', () => {
  it('keeps the call when the element is moved', async () => {
    const { room, call } = await joined(['Maya']);
    const other = document.createElement('div');
    room.parentElement!.append(other);
    other.append(room);
    await aTimeout(20);
    expect(disposed(call)).to.equal(false);
    expect(room.state).to.equal('joined');
    if ('moveBefore' in Element.prototype) {
      (other.parentElement as Element & { moveBefore(node: Node, before: Node | null): void }).moveBefore(
        room,
        null,
      );
      await aTimeout(20);
      expect(disposed(call)).to.equal(false);
    }
    call.add('late', 'Jonas');
    await drawn();
    expect(deep(room, 'pm-grid').shadowRoot!.querySelectorAll('pm-video-tile')).to.have.length(3);
  });

  it('ends the call when the element is gone, and begins a new one when it is back', async () => {
    const { room, call } = await joined(['Maya']);
    const box = room.parentElement!;
    room.remove();
    expect(disposed(call)).to.equal(false);
    await aTimeout(20);
    expect(call.commands.at(-1)).to.deep.equal(['dispose', 'element-removed']);
    expect(room.state).to.equal('left');
    expect(call.listeners).to.equal(0);
    expect(room.shadowRoot!.querySelectorAll('audio')).to.have.length(0);
    room.autojoin = false;
    room.room = '';
    box.append(room);
    await drawn();
    expect(room.call).not.to.equal(call);
    expect(room.state).to.equal('idle');
  });

  it('ends the call when the element goes to another document', async () => {
    const { room, call } = await joined();
    const frame = document.createElement('iframe');
    room.parentElement!.append(frame);
    room.autojoin = false;
    room.room = '';
    frame.contentDocument!.body.append(room);
    expect(disposed(call)).to.equal(true);
  });

  it('replaces a call that the page brings, and gives it to everyone inside', async () => {
    const { room, call } = await stage();
    const mine = new FakeCall();
    room.call = mine;
    await drawn();
    expect(disposed(call)).to.equal(true);
    expect(mine.commands).to.deep.equal([['prepare']]);
    deep(room, 'pm-lobby', '[action=mic]', 'button').click();
    expect(mine.commands.at(-1)).to.deep.equal(['toggleMic', false]);
  });

  it('two rooms live side by side, each with its own call and theme', async () => {
    const one = await stage({ theme: 'light' });
    const two = await stage({ theme: 'dark' });
    two.room.id = 'other';
    one.call.add('1', 'Maya');
    expect(two.room.participants).to.have.length(1);
    expect(getComputedStyle(one.room).backgroundColor).not.to.equal(
      getComputedStyle(two.room).backgroundColor,
    );
  });

  it('a second definition of every element does not throw, and changes nothing', async () => {
    const room = customElements.get('pm-room');
    const copy = new URL('../../src/define.ts?second-copy', import.meta.url).href;
    await import(copy);
    expect(customElements.get('pm-room')).to.equal(room);
  });
});
