/** As much of Web Audio as measuring loudness takes. How loud a track is, the test says (`FakeTrack.level`). */
import { exception } from './errors.ts';
import { streamOf, type FakeStream } from './media-track.ts';
import type { Scope } from './scope.ts';

class FakeAnalyser {
  fftSize = 2_048;
  source: FakeStream | null = null;

  getFloatTimeDomainData(samples: Float32Array): void {
    const tracks = this.source?.getAudioTracks() ?? [];
    const loudest = Math.max(
      0,
      ...tracks.map((track) => (track.enabled && track.readyState === 'live' ? track.level : 0)),
    );
    samples.fill(loudest);
  }
}

export class FakeAudioContext {
  state: AudioContextState = 'running';

  constructor(private readonly scope: Scope) {
    scope.books.listeners.add(this);
  }

  createAnalyser(): FakeAnalyser {
    return new FakeAnalyser();
  }

  createMediaStreamSource(given: unknown): object {
    const stream = streamOf(given);
    if (!stream.getAudioTracks().length) throw exception('InvalidStateError', 'the stream has no sound');
    let connected: FakeAnalyser | null = null;
    return {
      connect: (node: FakeAnalyser) => {
        connected = node;
        node.source = stream;
      },
      disconnect: () => {
        if (connected) connected.source = null;
      },
    };
  }

  async close(): Promise<void> {
    if (this.state === 'closed') throw exception('InvalidStateError', 'closed already');
    this.state = 'closed';
    this.scope.books.listeners.delete(this);
  }
}
