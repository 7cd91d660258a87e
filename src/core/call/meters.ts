/** How loud streams are: one audio context for all of them, closed with the last. */
import type { Platform } from '../platform.ts';

export interface Meter {
  /** Root mean square of the last moment, 0 to 1; null while the browser waits for a gesture. */
  level(): number | null;
  close(): void;
}

export class Meters {
  readonly #platform: Platform;
  #context: AudioContext | null = null;
  #open = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** @returns null where the browser cannot */
  open(stream: MediaStream): Meter | null {
    try {
      const context = (this.#context ??= this.#platform.createAudio());
      const source = context.createMediaStreamSource(stream);
      const analyser = context.createAnalyser();
      // A twelfth of a second at 48 kHz.
      analyser.fftSize = 4_096;
      source.connect(analyser);
      this.#open += 1;
      const samples = new Float32Array(analyser.fftSize);
      let open = true;
      return {
        level: () => {
          if (context.state !== 'running') return null;
          analyser.getFloatTimeDomainData(samples);
          let sum = 0;
          // Every fourth tells as much of the loudness.
          for (let index = 0; index < samples.length; index += 4) sum += samples[index]! ** 2;
          return 2 * Math.sqrt(sum / samples.length);
        },
        close: () => {
          if (!open) return;
          open = false;
          source.disconnect();
          this.#open -= 1;
          if (!this.#open) this.close();
        },
      };
    } catch (error) {
      this.#platform.log('warn', 'Loudness cannot be measured.', error);
      return null;
    }
  }

  close(): void {
    const context = this.#context;
    this.#context = null;
    if (!context) return;
    context.close().catch((error: unknown) => this.#platform.log('debug', 'No audio to close.', error));
  }
}
