import { expect, oneEvent } from '@open-wc/testing';
import { sendKeys } from '@web/test-runner-commands';
import { deep, drawn, picture, stage, textOf } from '../support/room.ts';

const LOBBY = ['pm-lobby'];

describe('<pm-lobby>', () => {
  it('captures nothing and asks nobody before a click', async () => {
    const { room, call } = await stage();
    expect(room.state).to.equal('lobby');
    expect(call.commands).to.deep.equal([['prepare']]);
    expect(textOf(room)).to.contain('Preview camera').and.to.contain('No one sees or hears you yet.');
  });

  it('shows oneself after a click on the preview, and keeps the focus', async () => {
    const { room, call } = await stage();
    const see = deep<HTMLButtonElement>(room, ...LOBBY, '.see');
    see.focus();
    see.click();
    call.source('self', 'camera', { state: 'on', stream: picture() });
    await drawn();
    expect(call.commands.at(-1)).to.deep.equal(['preview']);
    const lobby = deep(room, ...LOBBY);
    expect(lobby.shadowRoot!.querySelector('.see')).to.equal(null);
    expect(lobby.shadowRoot!.activeElement?.getAttribute('action')).to.equal('camera');
  });

  it('joins by Enter in the name field, under the name that was typed', async () => {
    const { room, call } = await stage();
    const field = deep<HTMLInputElement>(room, ...LOBBY, 'input');
    expect(field.value).to.equal('Alex Morgan');
    field.focus();
    field.select();
    await sendKeys({ type: ' Zoë ' });
    const asked = oneEvent(room, 'pm-join-request');
    await sendKeys({ press: 'Enter' });
    expect((await asked).detail).to.deep.equal({ name: 'Zoë' });
    await drawn();
    expect(call.options.displayName).to.equal('Zoë');
    expect(room.state).to.equal('joined');
  });

  it('is reached by Tab in the order in which it is seen', async () => {
    const { room } = await stage();
    const lobby = deep(room, ...LOBBY);
    const seen: string[] = [];
    deep(lobby, '.see').focus();
    for (let step = 0; step < 5; step++) {
      const at = lobby.shadowRoot!.activeElement;
      seen.push(at?.getAttribute('action') ?? at?.getAttribute('part') ?? at?.className ?? '');
      await sendKeys({ press: 'Tab' });
    }
    expect(seen).to.deep.equal(['btn see', 'mic', 'camera', 'name', 'join']);
  });

  it('says what failed, and joins all the same', async () => {
    const words = {
      'permission-denied': 'No access to your camera',
      'device-not-found': 'Cannot find your camera',
      'device-in-use': 'Another app uses your camera',
      'insecure-context': 'This page cannot use your camera',
      'capture-failed': 'Cannot start your camera',
    } as const;
    const { room, call } = await stage();
    for (const [code, text] of Object.entries(words) as [keyof typeof words, string][]) {
      call.dispatch({ type: 'problem', source: 'camera', code });
      await drawn();
      expect(textOf(room)).to.contain(text);
    }
    call.dispatch({ type: 'problem', source: 'camera', code: 'permission-denied' });
    call.dispatch({ type: 'problem', source: 'mic', code: 'permission-denied' });
    await drawn();
    expect(textOf(room))
      .to.contain('your camera and microphone')
      .and.to.contain('Allow it in the address bar');
    expect(deep(room, ...LOBBY, '[role=alert]').childElementCount).to.equal(1);
    deep(room, ...LOBBY, '.join').click();
    await drawn();
    expect(room.state).to.equal('joined');
  });

  it('tries a device again on request', async () => {
    const { room, call } = await stage({ prepare: (fake) => (fake.fail.camera = 'permission-denied') });
    await room.toggleCamera(true).catch(() => undefined);
    await drawn();
    delete call.fail.camera;
    [...deep(room, ...LOBBY).shadowRoot!.querySelectorAll('button')]
      .find(({ textContent }) => textContent?.includes('Try again'))!
      .click();
    await drawn();
    expect(call.commands.at(-1)).to.deep.equal(['preview']);
    expect(textOf(deep(room, ...LOBBY))).not.to.contain('No access');
  });

  it('is busy while joining, once, with the focus where it was', async () => {
    const { room, call } = await stage();
    let go = (): void => undefined;
    call.hold = new Promise((resolve) => (go = resolve));
    const button = deep<HTMLButtonElement>(room, ...LOBBY, '.join');
    button.focus();
    button.click();
    await drawn();
    button.click();
    await drawn();
    expect(button.ariaBusy).to.equal('true');
    expect(button.disabled).to.equal(false);
    expect(deep(room, 'pm-lobby').shadowRoot!.activeElement).to.equal(button);
    expect(call.commands.filter(([name]) => name === 'join')).to.have.length(1);
    go();
    await drawn();
    expect(room.state).to.equal('joined');
    // The lobby is gone; focus went on to the call.
    expect(room.shadowRoot!.activeElement).to.equal(deep(room, '.screen'));
  });

  it('says why a join failed, and joins when asked again', async () => {
    const { room, call } = await stage({ prepare: (fake) => (fake.failJoin = 'room-full') });
    deep(room, ...LOBBY, '.join').click();
    await drawn();
    expect(room.state).to.equal('failed');
    expect(textOf(room)).to.contain('The room is full').and.to.contain('Try again when someone has left.');
    call.failJoin = null;
    deep(room, ...LOBBY, '.join').click();
    await drawn();
    expect(room.state).to.equal('joined');
  });

  it('obeys a page that prevents the join', async () => {
    const { room, call } = await stage();
    room.addEventListener('pm-join-request', (event) => event.preventDefault());
    deep(room, ...LOBBY, '.join').click();
    await drawn();
    expect(call.commands).to.deep.equal([['prepare']]);
  });

  it('is left out by hide="lobby"', async () => {
    const { room } = await stage();
    room.hide = 'lobby';
    await drawn();
    expect(room.shadowRoot!.querySelector('pm-lobby')).to.equal(null);
    expect(room.shadowRoot!.querySelector('pm-grid')).not.to.equal(null);
  });
});
