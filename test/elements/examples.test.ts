import { expect, fixture, html } from '@open-wc/testing';
import '../../src/index.ts';
import { FakeCall } from '../support/fake-call.ts';
import { deep, drawn } from '../support/room.ts';

/** The body of an example page, its rooms on fake calls. */
async function example(name: string): Promise<{ box: HTMLElement; calls: FakeCall[] }> {
  const url = new URL(`../../demo-server/examples/${name}.html`, import.meta.url);
  const page = new DOMParser().parseFromString(await (await fetch(url)).text(), 'text/html');
  const calls: FakeCall[] = [];
  const box = await fixture<HTMLElement>(html`<div></div>`);
  const body = document.createElement('div');
  body.append(...[...page.body.childNodes].map((node) => document.importNode(node, true)));
  for (const room of body.querySelectorAll('pm-room')) {
    calls.push(new FakeCall());
    room.call = calls.at(-1)!;
  }
  box.append(body);
  await drawn();
  return { box, calls };
}

describe('example pages', () => {
  it('two rooms', async () => {
    const { box, calls } = await example('two-rooms');
    expect(calls.map(({ options }) => options.room)).to.deep.equal(['garden', 'observatory']);
    const [garden, observatory] = box.querySelectorAll('pm-room');
    deep(garden!, 'pm-lobby', '.join').click();
    await drawn();
    expect(garden!.state).to.equal('joined');
    expect(observatory!.state).to.equal('lobby');
    expect(getComputedStyle(garden!).colorScheme).to.equal('light');
    expect(getComputedStyle(observatory!).colorScheme).to.equal('dark');
  });

  it('an interface of one’s own', async () => {
    const { box, calls } = await example('own-interface');
    const [call] = calls;
    const room = box.querySelector('pm-room')!;
    expect(room.state).to.equal('joined');
    expect(room.matches(':state(own)')).to.equal(true);
    call!.add('1', 'Maya');
    await drawn();
    expect(deep(room.querySelector('pm-grid')!, '.box').querySelectorAll('pm-video-tile')).to.have.length(2);
    deep(box.querySelector('nav [action=mic]')!, 'button').click();
    expect(call!.commands.at(-1)).to.deep.equal(['toggleMic', false]);
    deep(box.querySelector('nav [action=leave]')!, 'button').click();
    await drawn();
    expect(room.state).to.equal('left');
  });
});
