import { aTimeout, expect, fixture, html, oneEvent } from '@open-wc/testing';
import type { PmRoom } from '../../src/index.ts';
import { FakeCall } from '../support/fake-call.ts';
import { deep, drawn, joined, stage, textOf } from '../support/room.ts';

describe('<pm-room>', () => {
  it('joins by itself with autojoin', async () => {
    const { room, call } = await stage({ autojoin: true });
    expect(call.commands).to.deep.equal([['join']]);
    expect(room.getAttribute('state')).to.equal('joined');
    expect(room.participants[0]!.self).to.equal(true);
  });

  it('says aloud what failed at once, before anything was drawn', async () => {
    const call = new FakeCall();
    call.failJoin = 'usage';
    const room = await fixture<PmRoom>(html`<pm-room .call=${call} room="a" autojoin></pm-room>`);
    await drawn();
    expect(room.state).to.equal('failed');
    const said = room.shadowRoot!.querySelector('[role=log]')!.textContent;
    expect(said).to.have.length.above(0);
    expect(said).to.equal(room.shadowRoot!.querySelector('h2')!.textContent);
  });

  it('hands its attributes to the call', async () => {
    const call = new FakeCall();
    const room = await fixture<PmRoom>(
      html`<pm-room
        .call=${call}
        room="a"
        relay="wss://one/ws wss://two/ws"
        token="t"
        mic-off
        camera-off
        ice-policy="relay"
        max-peers="1"
        room-prefix="p"
        ice-servers='[{"urls": "stun:example.org"}]'
      ></pm-room>`,
    );
    const { getToken: _, ...options } = call.options;
    expect(options).to.deep.equal({
      room: 'a',
      relay: 'wss://one/ws wss://two/ws',
      token: 't',
      displayName: '',
      micOff: true,
      cameraOff: true,
      icePolicy: 'relay',
      maxPeers: 1,
      roomPrefix: 'p',
      e2eePrefix: null,
      fileChannelLabel: null,
      passphrase: '',
      audioProcessing: {},
      screenHint: 'detail',
      iceServers: [{ urls: 'stun:example.org' }],
    });
    expect(call.snapshot.wanted).to.deep.equal({ mic: false, camera: false, screen: false });
    room.displayName = 'Alex';
    await room.updateComplete;
    expect(call.options.displayName).to.equal('Alex');
  });

  it('answers malformed attributes with pm-error, and keeps what was', async () => {
    const { room, call } = await stage();
    const bad = {
      'ice-servers': ['{', '{}', '[null]', '[{}]'],
      'max-peers': ['0', '-1', 'many', '1.5', ''],
      'ice-policy': ['none'],
      theme: ['blue'],
      layout: ['pile'],
    };
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) {
        const told = oneEvent(room, 'pm-error');
        room.setAttribute(name, value);
        const { detail } = await told;
        expect(detail.code, `${name}=${value}`).to.equal('usage');
        expect(detail.error.message).to.contain(name);
      }
    }
    expect(room.iceServers).to.deep.equal([]);
    expect(room.maxPeers).to.equal(8);
    expect(call.options.maxPeers).to.equal(8);
  });

  it('starts once it has a room', async () => {
    const call = new FakeCall();
    const room = await fixture<PmRoom>(html`<pm-room .call=${call}></pm-room>`);
    await drawn();
    expect(call.commands).to.deep.equal([]);
    room.room = 'late';
    await drawn();
    expect(call.commands).to.deep.equal([['prepare']]);
    expect(call.options.room).to.equal('late');
  });

  it('tells what happens in events that bubble out of shadow roots', async () => {
    const { room, call } = await stage({ autojoin: true });
    const box = room.parentElement!;
    const log: string[] = [];
    for (const name of [
      'participant-joined',
      'participant-left',
      'state-change',
      'left',
      'error',
      'ready',
    ] as const) {
      box.addEventListener(`pm-${name}`, (event) => {
        expect((event as CustomEvent).composed).to.equal(true);
        expect((event as CustomEvent).cancelable).to.equal(false);
        log.push(name);
      });
    }
    call.add('1', 'Maya');
    call.emit('ready', { role: 'caller' });
    call.remove('1');
    await room.leave();
    expect(log).to.deep.equal(['participant-joined', 'ready', 'participant-left', 'state-change', 'left']);
    expect(room.getAttribute('state')).to.equal('left');
  });

  it('causes no unhandled rejection when nobody looks at a command’s promise', async () => {
    const unhandled: unknown[] = [];
    const listen = (event: PromiseRejectionEvent): void => void unhandled.push(event.reason);
    window.addEventListener('unhandledrejection', listen);
    const { room } = await stage({ prepare: (fake) => (fake.failJoin = 'relay-unreachable') });
    void room.join();
    void room.request('join');
    await aTimeout(50);
    window.removeEventListener('unhandledrejection', listen);
    expect(unhandled).to.deep.equal([]);
    const failure = await room.join().catch((error: { code: string }) => error.code);
    expect(failure).to.equal('relay-unreachable');
  });

  it('runs a request in the very call stack of the click, unless prevented', async () => {
    const { room, call } = await joined();
    void room.request('mic', { on: false });
    expect(call.commands.at(-1)).to.deep.equal(['toggleMic', false]);
    room.addEventListener('pm-camera-request', (event) => event.preventDefault());
    void room.request('camera');
    expect(call.commands.at(-1)).to.deep.equal(['toggleMic', false]);
  });

  it('carries hands, reactions and data of the page, by method and by request', async () => {
    const { room, call } = await joined(['Jonas']);
    call.commands.length = 0;
    void room.request('hand', { on: true });
    void room.request('reaction', { emoji: '👍' });
    void room.toggleHand();
    void room.react('🎉');
    void room.sendData('board', [1], { to: 'p0' });
    expect(call.commands).to.deep.equal([
      ['toggleHand', true],
      ['react', '👍'],
      ['toggleHand', undefined],
      ['react', '🎉'],
      ['sendData', 'board', [1], { to: 'p0' }],
    ]);
    const heard = oneEvent(room, 'pm-data');
    call.emit('data', { topic: 'board', data: [2], from: 'p0' });
    expect((await heard).detail).to.deep.equal({ topic: 'board', data: [2], from: 'p0' });
  });

  it('shows the end of a call, and joins again', async () => {
    const { room, call } = await joined(['Maya']);
    deep(room, 'pm-controls', '[action=leave]', 'button').click();
    await drawn();
    expect(textOf(room)).to.contain('You left the call');
    deep(room, '.end button').click();
    await drawn();
    expect(room.state).to.equal('joined');
    call.dispatch({ type: 'phase', phase: 'left', reason: 'host-ended' });
    await drawn();
    expect(textOf(room)).to.contain('The call has ended');
  });

  it('says that it is reconnecting, and what still works', async () => {
    const { room, call } = await joined(['Maya']);
    call.dispatch({ type: 'phase', phase: 'reconnecting' });
    await drawn();
    expect(textOf(deep(room, '.notices')))
      .to.contain('Reconnecting to the room')
      .and.to.contain('keep talking');
    call.dispatch({ type: 'phase', phase: 'joined' });
    await drawn();
    expect(textOf(deep(room, '.notices'))).not.to.contain('Reconnecting');
  });

  it('offers to try a denied camera again in the call, and can be told to be quiet', async () => {
    const { room, call } = await joined(['Maya']);
    call.dispatch({ type: 'problem', source: 'camera', code: 'permission-denied' });
    await drawn();
    const [again, close] = [...deep(room, '.notice').querySelectorAll('button')];
    again!.click();
    expect(call.commands.at(-1)).to.deep.equal(['toggleCamera', true]);
    call.dispatch({ type: 'problem', source: 'camera', code: 'permission-denied' });
    await drawn();
    close!.click();
    await drawn();
    expect(room.shadowRoot!.querySelector('.notice')).to.equal(null);
    // Tried again and failed again: that is news.
    const log = deep(room, '[role=log]');
    const said = log.childElementCount;
    call.dispatch({ type: 'problem', source: 'camera', code: null });
    call.dispatch({ type: 'problem', source: 'camera', code: 'permission-denied' });
    await drawn();
    expect(textOf(deep(room, '.notice'))).to.contain('No access to your camera');
    expect(log.childElementCount).to.equal(said + 1);
  });

  it('is light or dark as the page is, unless it is told', async () => {
    const { room } = await joined(['Maya']);
    const scheme = (): string => getComputedStyle(room).colorScheme;
    room.theme = 'auto';
    await drawn();
    for (const page of ['light', 'dark']) {
      room.parentElement!.style.colorScheme = page;
      expect(scheme()).to.equal(page);
    }
    room.theme = 'light';
    await drawn();
    expect(scheme()).to.equal('light');
  });

  it('reads out who comes and goes', async () => {
    const { room, call } = await joined();
    call.add('1', 'Maya');
    call.add('2', '');
    call.remove('1');
    call.dispatch({ type: 'phase', phase: 'reconnecting' });
    const lines = [...deep(room, '[role=log]').children].map(({ textContent }) => textContent);
    expect(lines).to.deep.equal(['Maya joined', 'Guest joined', 'Maya left', 'Reconnecting to the room']);
  });

  it('plays everybody’s sound itself, each once', async () => {
    const { room, call } = await joined(['Maya', 'Jonas']);
    const context = new AudioContext();
    const { stream } = context.createMediaStreamDestination();
    call.source('p0', 'mic', { state: 'on', stream });
    call.source('self', 'mic', { state: 'on', stream: new MediaStream() });
    await drawn();
    const players = room.shadowRoot!.querySelectorAll('audio');
    expect(players).to.have.length(1);
    expect(players[0]!.srcObject).to.equal(stream);
    expect(players[0]!.muted).to.equal(false);
    call.remove('p0');
    await drawn();
    expect(room.shadowRoot!.querySelectorAll('audio')).to.have.length(0);
    expect(players[0]!.srcObject).to.equal(null);
    await context.close();
  });

  it('asks for a click when the browser holds the sound back, and plays after any gesture', async () => {
    const { room, call } = await joined(['Maya']);
    const { play } = HTMLMediaElement.prototype;
    let allowed = false;
    HTMLMediaElement.prototype.play = function (this: HTMLMediaElement) {
      if (this.localName === 'audio' && !allowed)
        return Promise.reject(new DOMException('', 'NotAllowedError'));
      return Promise.resolve();
    };
    try {
      call.source('p0', 'mic', { state: 'on', stream: new MediaStream() });
      await drawn();
      expect(call.blocked).to.have.length(1);
      expect(textOf(deep(room, '.notice'))).to.contain('Turn on sound');
      allowed = true;
      Object.defineProperty(deep(room, 'audio'), 'paused', { get: () => !allowed, configurable: true });
      let tries = 0;
      HTMLMediaElement.prototype.play = () => (tries++, Promise.resolve());
      Object.defineProperty(deep(room, 'audio'), 'paused', { get: () => tries === 0, configurable: true });
      document.body.dispatchEvent(new PointerEvent('pointerup', { bubbles: true }));
      await drawn();
      expect(tries).to.equal(1);
      expect(room.shadowRoot!.querySelector('.notice')).to.equal(null);
    } finally {
      HTMLMediaElement.prototype.play = play;
    }
  });

  it('shows the page’s own interface instead of the default one, also when it comes later', async () => {
    const { room, call } = await stage({}, html`<pm-grid></pm-grid>`);
    expect(room.shadowRoot!.querySelector('pm-lobby')).to.equal(null);
    expect(deep(room.querySelector('pm-grid')!, 'pm-video-tile').matches(':state(self)')).to.equal(true);
    room.replaceChildren();
    await drawn();
    expect(room.shadowRoot!.querySelector('pm-lobby')).not.to.equal(null);
    room.append(document.createElement('pm-controls'));
    await drawn();
    expect(room.shadowRoot!.querySelector('pm-lobby')).to.equal(null);
    expect(call.commands).to.deep.equal([['prepare']]);
  });

  it('has a size without any style sheet, and takes the page’s', async () => {
    const { room } = await stage();
    const { height } = room.getBoundingClientRect();
    expect(height).to.be.at.least(300);
    room.style.height = '250px';
    expect(room.getBoundingClientRect().height).to.be.closeTo(300, 130);
    room.style.minHeight = '0';
    expect(room.getBoundingClientRect().height).to.equal(250);
  });
});
