/** Rounds of a two-person call in which everything is used: one who comes and goes, one who stays and tells what it sees. */
import type { Visitor } from './visitor.ts';

/** Both have it; chat is sealed under it. */
const PASSPHRASE = 'correct horse ✓';

/** What the one who stays perceives of the other. */
interface Seen {
  mic: string;
  camera: string;
  screen: boolean;
  hand: boolean;
  recording: boolean;
  typing: boolean;
  reactions: number;
  text: string;
}
interface Diary {
  /** The newest word of the one who stays; null before the first of this round. */
  seen: Seen | null;
  /** What it sent back, by topic. */
  echoes: Record<string, unknown>;
  levels: number;
  /** Bytes that the browser has recorded. */
  recorded: number;
}
declare const diary: Diary;

/** The one who stays: tells what it sees, sends back what it gets, takes every file and sends one. */
export function attend(visitor: Visitor): Promise<void> {
  return visitor.run((passphrase) => {
    const room = e2e.room('pm-room');
    const { call } = room;
    let told = '';
    let asked = false;
    let reactions = 0;
    room.passphrase = passphrase;
    // Whoever has just left is told nothing any more.
    const tell = (topic: string, data: unknown): void => void room.sendData(topic, data).catch(() => {});
    const look = (): void => {
      const [, other] = room.participants;
      if (!other) [told, asked, reactions] = ['', false, 0];
      if (!other || !asked) return;
      const { hand, recording, sources } = other;
      const last = room.snapshot.messages.at(-1);
      const seen: Seen = {
        mic: sources.mic.state,
        camera: sources.camera.state,
        screen: Boolean(sources.screen.stream),
        hand,
        recording,
        typing: room.snapshot.typing.length > 0,
        reactions,
        text: last ? `${last.security} ${last.text}` : '',
      };
      const now = JSON.stringify(seen);
      if (now === told) return;
      told = now;
      tell('seen', seen);
    };
    call.subscribe((state) => state, look);
    call.on('reaction', () => {
      reactions += 1;
      look();
    });
    call.on('data', ({ topic, data }) => {
      if (topic === 'hello') asked = true;
      else if (topic === 'say') room.sendMessage(String(data)).catch(() => {});
      else if (topic === 'file')
        room.sendFile(new File([new Uint8Array(65_536)], 'back.bin')).catch(() => {});
      else tell('echo', [topic, data]);
      look();
    });
    call.on('file', ({ id, state, outgoing }) => {
      if (state === 'offered' && !outgoing) room.acceptFile(id).catch(() => {});
      else if (state !== 'offered' && state !== 'active' && state !== 'paused')
        room.cancelFile(id).catch(() => {});
    });
  }, PASSPHRASE);
}

/** The one who comes and goes, once and for all rounds. */
export function prepare(visitor: Visitor): Promise<void> {
  return visitor.run((passphrase) => {
    const room = e2e.room('pm-room');
    const own: Diary = { seen: null, echoes: {}, levels: 0, recorded: 0 };
    Object.assign(globalThis, { diary: own });
    const { start } = MediaRecorder.prototype;
    MediaRecorder.prototype.start = function (this: MediaRecorder, slice?: number) {
      this.addEventListener('dataavailable', ({ data }) => (own.recorded += data.size));
      start.call(this, slice);
    };
    room.passphrase = passphrase;
    room.call.on('data', ({ topic, data }) => {
      if (topic === 'seen') own.seen = data as Seen;
      else own.echoes[(data as [string])[0]] = (data as unknown[])[1];
    });
  }, PASSPHRASE);
}

/** Joins and leaves at once, before anybody is met. */
export function passBy(visitor: Visitor): Promise<void> {
  return visitor.run(async () => {
    await e2e.room('pm-room').join();
    await e2e.room('pm-room').leave();
  });
}

/** Joins, uses everything, each until the other has noticed, and leaves. */
export async function round(visitor: Visitor, index: number, record: boolean): Promise<void> {
  const steps: Record<string, () => Promise<void>> = {
    join: () =>
      visitor.run(async () => {
        const room = e2e.room('pm-room');
        Object.assign(diary, { seen: null, echoes: {}, levels: 0, recorded: 0 });
        // What the test noted is no leftover of the page.
        e2e.events.length = 0;
        await room.join();
        const other = await e2e.until('a connection', () =>
          room.participants.find(({ link }) => link === 'connected'),
        );
        // Fails until the channel is open.
        const hello = () => room.sendData('hello', '', { to: other!.id });
        await e2e.until('a channel', () =>
          hello().then(
            () => true,
            () => false,
          ),
        );
        await e2e.until('its first word', () => diary.seen?.mic === 'on' && diary.seen.camera === 'on');
        room.call.levels(other!.id, () => (diary.levels += 1));
      }),
    devices: () =>
      visitor.run(async () => {
        const room = e2e.room('pm-room');
        await room.toggleMic(false);
        await e2e.until('silence', () => diary.seen?.mic === 'silenced');
        await room.toggleMic(true);
        await e2e.until('sound', () => diary.seen?.mic === 'on');
        await room.toggleCamera(false);
        await e2e.until('no camera', () => diary.seen?.camera === 'off');
        await room.toggleCamera(true);
        await e2e.until('a camera', () => diary.seen?.camera === 'on');
        const devices = await room.devices();
        for (const kind of ['mic', 'camera'] as const) {
          await room.setDevice(kind, devices.findLast((each) => each.kind === kind)!.id);
          await room.setDevice(kind, '');
        }
      }),
    screen: () =>
      visitor.run(async () => {
        await e2e.room('pm-room').toggleScreen(true);
        await e2e.until('a screen', () => diary.seen?.screen);
        await e2e.room('pm-room').toggleScreen(false);
        await e2e.until('no screen', () => diary.seen?.screen === false);
      }),
    // Every other one is still at work when the call is left.
    processor: () =>
      visitor.run(async (given) => {
        const room = e2e.room('pm-room');
        await room.setProcessor('camera', (track, signal) => {
          const copy = track.clone();
          signal.addEventListener('abort', () => copy.stop());
          return Promise.resolve(copy);
        });
        await room.setProcessor('mic', () => Promise.resolve(null));
        if (given % 2) return;
        await room.setProcessor('camera', null);
        await room.setProcessor('mic', null);
      }, index),
    talk: () =>
      visitor.run(async (given) => {
        const room = e2e.room('pm-room');
        await room.toggleHand(true);
        await e2e.until('a hand', () => diary.seen?.hand);
        await room.toggleHand(false);
        await e2e.until('no hand', () => diary.seen?.hand === false);
        await room.react('🎉');
        await e2e.until('a reaction', () => diary.seen?.reactions === 1);
        await room.sendData('reliable', { given });
        await e2e.until(
          'an echo',
          () => JSON.stringify(diary.echoes['reliable']) === `{"given":${String(given)}}`,
        );
        await e2e.until('an echo of what may be lost', async () => {
          await room.sendData('fast', given, { unreliable: true });
          return diary.echoes['fast'] === given;
        });
      }, index),
    chat: () =>
      visitor.run(async (given) => {
        const room = e2e.room('pm-room');
        room.setTyping(true);
        await e2e.until('typing', () => diary.seen?.typing);
        await room.sendMessage(`round ${String(given)}`);
        await e2e.until('the message', () => diary.seen?.text === `encrypted round ${String(given)}`);
        await room.sendData('say', `answer ${String(given)}`);
        await e2e.until('the answer', () =>
          room.snapshot.messages.some(({ text }) => text === `answer ${String(given)}`),
        );
      }, index),
    files: () =>
      visitor.run(async () => {
        const room = e2e.room('pm-room');
        const file = (outgoing: boolean) => room.snapshot.files.find((each) => each.outgoing === outgoing);
        await room.sendFile(new File([new Uint8Array(65_536)], 'there.bin'));
        await room.sendData('file', '');
        const offer = await e2e.until('an offer', () => file(false));
        await room.acceptFile(offer!.id);
        await e2e.until('both files', () => [true, false].every((each) => file(each)?.state === 'done'));
        for (const { id } of room.snapshot.files) await room.cancelFile(id);
      }),
    record: () =>
      visitor.run(async () => {
        const room = e2e.room('pm-room');
        await room.startRecording();
        await e2e.until('the announcement', () => diary.seen?.recording);
        await e2e.until('something recorded', () => diary.recorded);
        const { file } = await room.stopRecording();
        if (!file.size) throw new Error('an empty recording');
        await e2e.until('its end', () => diary.seen?.recording === false);
        // A page's own business: kept for a day otherwise.
        const folder = await navigator.storage.getDirectory();
        await folder.removeEntry((file as File).name);
      }),
    leave: () =>
      visitor.run(async () => {
        const room = e2e.room('pm-room');
        await e2e.until('levels', () => diary.levels > 1);
        await e2e.until('statistics', async () => (await room.getStats()).length === 1);
        await room.leave();
      }),
  };
  for (const [name, step] of Object.entries(steps)) {
    if (name === 'record' && !record) continue;
    await step().catch((cause: unknown) => {
      throw new Error(`round ${String(index)}: ${name}: ${String(cause)}`, { cause });
    });
  }
}
