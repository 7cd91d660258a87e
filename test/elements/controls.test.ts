import { expect, fixture, html, oneEvent } from '@open-wc/testing';
import { sendKeys } from '@web/test-runner-commands';
import type { PmToggle } from '../../src/index.ts';
import { FakeCall } from '../support/fake-call.ts';
import { deep, drawn, joined, stage } from '../support/room.ts';

const button = (toggle: Element): HTMLButtonElement => deep<HTMLButtonElement>(toggle, 'button');

describe('<pm-controls> and <pm-toggle>', () => {
  it('say what is, and ask for the other', async () => {
    const { room, call } = await joined();
    const mic = deep<PmToggle>(room, 'pm-controls', '[action=mic]');
    expect(button(mic).ariaPressed).to.equal('true');
    expect(button(mic).title).to.equal('Turn off your microphone');
    expect(mic.matches(':state(on)')).to.equal(true);
    const asked = oneEvent(mic, 'pm-mic-request');
    button(mic).click();
    const event = await asked;
    expect(event.cancelable).to.equal(true);
    expect(event.composed).to.equal(true);
    expect(event.detail).to.deep.equal({ on: false });
    await drawn();
    expect(call.snapshot.wanted.mic).to.equal(false);
    expect(button(mic).ariaPressed).to.equal('false');
    expect(button(mic).title).to.equal('Turn on your microphone');
  });

  it('stay focusable and say so while a device is on its way', async () => {
    const { room, call } = await joined();
    const camera = deep<PmToggle>(room, 'pm-controls', '[action=camera]');
    button(camera).click();
    await drawn();
    call.hold = new Promise(() => undefined);
    button(camera).focus();
    button(camera).click();
    await drawn();
    expect(button(camera).ariaBusy).to.equal('true');
    expect(button(camera).disabled).to.equal(false);
    expect(camera.shadowRoot!.activeElement).to.equal(button(camera));
    expect(camera.matches(':state(pending)')).to.equal(true);
  });

  it('show a device that could not be had as off, and ask for it again', async () => {
    const { room, call } = await joined();
    call.dispatch({ type: 'problem', source: 'camera', code: 'device-in-use' });
    await drawn();
    const camera = deep<PmToggle>(room, 'pm-controls', '[action=camera]');
    expect(camera.matches(':state(problem)')).to.equal(true);
    expect(button(camera).ariaPressed).to.equal('false');
    expect(button(camera).title).to.contain('Another app uses your camera');
    button(camera).click();
    expect(call.commands.at(-1)).to.deep.equal(['toggleCamera', true]);
  });

  it('are reached by Tab in the order in which they are seen, in 44 px', async () => {
    const { room } = await joined();
    const controls = deep(room, 'pm-controls');
    const seen: (string | null | undefined)[] = [];
    button(deep(controls, '[action=mic]')).focus();
    for (let step = 0; step < 3; step++) {
      seen.push(controls.shadowRoot!.activeElement?.getAttribute('action'));
      const { width, height } = controls.shadowRoot!.activeElement!.getBoundingClientRect();
      expect(Math.min(width, height)).to.be.at.least(44);
      await sendKeys({ press: 'Tab' });
    }
    expect(seen).to.deep.equal(['mic', 'camera', 'leave']);
  });

  it('leave is of no use outside a call', async () => {
    const { room, call } = await stage({}, html`<pm-toggle action="leave"></pm-toggle>`);
    const leave = button(room.querySelector('pm-toggle')!);
    expect(leave.ariaDisabled).to.equal('true');
    leave.click();
    expect(call.commands).to.deep.equal([['prepare']]);
  });

  it('take a page’s own buttons instead, and what it adds', async () => {
    const { room } = await stage(
      {},
      html`<pm-controls><b slot="start">Logo</b><button id="mine">Mine</button></pm-controls>`,
    );
    await drawn();
    const controls = room.querySelector('pm-controls')!;
    expect(controls.shadowRoot!.querySelector('pm-toggle')).to.equal(null);
    room.querySelector('#mine')!.remove();
    await drawn();
    expect(controls.shadowRoot!.querySelectorAll('pm-toggle')).to.have.length(3);
  });
});

describe('the community’s context protocol', () => {
  it('answers a consumer of any library, at once and again', async () => {
    const { room, call } = await stage({}, html`<b></b>`);
    const calls: unknown[] = [];
    let release: (() => void) | undefined;
    const ask = (subscribe: boolean): void => {
      const request = new Event('context-request', { bubbles: true, composed: true });
      const callback = (value: unknown, end?: () => void): void => {
        calls.push(value);
        release = end;
      };
      Object.assign(request, { context: Symbol.for('private-meet/call@1'), subscribe, callback });
      room.querySelector('b')!.dispatchEvent(request);
    };
    ask(false);
    expect(calls).to.deep.equal([call]);
    expect(release).to.equal(undefined);
    ask(true);
    room.call = new FakeCall();
    expect(calls).to.deep.equal([call, call, room.call]);
    release!();
    room.call = new FakeCall();
    expect(calls).to.have.length(3);
  });

  it('leaves other contexts to others', async () => {
    const { room } = await stage({}, html`<b></b>`);
    let passed = false;
    room.parentElement!.addEventListener('context-request', () => (passed = true));
    const request = new Event('context-request', { bubbles: true });
    room.querySelector('b')!.dispatchEvent(Object.assign(request, { context: 'other', callback() {} }));
    expect(passed).to.equal(true);
  });
});

describe('elements outside a room, bound by its id', () => {
  it('find a room that comes later, and one that replaces it', async () => {
    const box = await fixture<HTMLElement>(html`<div><pm-toggle for="late" action="mic"></pm-toggle></div>`);
    const toggle = box.querySelector('pm-toggle')!;
    expect(button(toggle).ariaDisabled).to.equal('true');
    for (let round = 0; round < 2; round++) {
      const call = new FakeCall();
      const room = document.createElement('pm-room');
      room.id = 'late';
      room.room = 'r';
      room.call = call;
      box.querySelector('pm-room')?.remove();
      box.append(room);
      await drawn();
      expect(button(toggle).ariaDisabled).to.equal('false');
      button(toggle).click();
      expect(call.commands.at(-1)).to.deep.equal(['toggleMic', false]);
    }
  });

  it('look in their own root first', async () => {
    const far = await stage();
    const host = await fixture<HTMLElement>(html`<div></div>`);
    const root = host.attachShadow({ mode: 'open' });
    const near = document.createElement('pm-room');
    const call = new FakeCall();
    near.id = 'standup';
    near.room = 'near';
    near.call = call;
    const controls = document.createElement('pm-controls');
    controls.for = 'standup';
    root.append(near, controls);
    await drawn();
    deep(controls, '[action=camera]', 'button').click();
    expect(call.commands.at(-1)).to.deep.equal(['toggleCamera', false]);
    expect(far.call.commands).to.deep.equal([['prepare']]);
  });

  it('fire on themselves, then as a twin on the room; either may be prevented', async () => {
    const { room, call } = await stage();
    const outside = document.createElement('pm-toggle');
    outside.for = 'standup';
    room.parentElement!.append(outside);
    await drawn();
    const log: string[] = [];
    let prevent = '';
    for (const [name, element] of Object.entries({ outside, room })) {
      element.addEventListener('pm-mic-request', (event) => {
        log.push(name);
        if (prevent === name) event.preventDefault();
      });
    }
    for (prevent of ['outside', 'room', '']) button(outside).click();
    expect(log).to.deep.equal(['outside', 'outside', 'room', 'outside', 'room']);
    expect(call.commands).to.deep.equal([['prepare'], ['toggleMic', false]]);
  });

  it('let go of their call when they are removed', async () => {
    const { room, call } = await stage();
    const outside = document.createElement('pm-toggle');
    outside.for = 'standup';
    room.parentElement!.append(outside);
    await drawn();
    outside.remove();
    let updates = 0;
    outside.requestUpdate = () => void updates++;
    call.dispatch({ type: 'wanted', wanted: { mic: false } });
    expect(updates).to.equal(0);
  });
});
