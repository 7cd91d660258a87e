/** What the part of the local media that is there from the start offers to the part that is loaded. */
import type { PmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { CallState, Source, SourceName } from '../state/call-state.ts';
import type { AudioProcessing, Device } from './constraints.ts';
import type { Input } from './input.ts';

/** What a shared screen is about: sharp text, or smooth motion. */
export type ScreenHint = 'detail' | 'motion';

export interface LocalMediaHooks {
  settings(): { readonly audioProcessing: AudioProcessing; readonly screenHint: ScreenHint };
  wanted(source: Device | 'screen', on: boolean): void;
  /** The source as others may see it, and the track that is to be sent (null: none). */
  changed(source: SourceName, value: Source, track: MediaStreamTrack | null): void;
  problem(device: Device, error: PmError | null): void;
  /** What there is, or was chosen. */
  set(patch: Partial<Pick<CallState, 'devices' | 'chosen'>>): void;
  /** Something failed that is no device's present state. */
  failed(error: PmError): void;
}

export interface Local {
  readonly platform: Platform;
  readonly hooks: LocalMediaHooks;
  readonly inputs: Readonly<Record<Device, Input>>;
  /** Changes with every release. */
  readonly epoch: number;
  set(device: Device, on: boolean): Promise<void>;
  /** One device, or why not. @param strict no other one than the chosen one will do */
  capture(device: Device, choice: string, strict?: boolean): Promise<MediaStreamTrack | PmError>;
  /** One request to the browser at a time, begun in the caller's own call stack when none is under way. */
  alone<T>(task: () => Promise<T>): Promise<T>;
  show(device: Device, source: Source): void;
  drop(device: Device, source: Source): void;
  fail(device: Device, error: PmError): void;
}
