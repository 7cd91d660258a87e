/**
 * A fake platform for the headless core: it enforces the specifications' states on a virtual clock, and one seed
 * replays one interleaving. What it claims about browsers is checked against them in test/core/fake-conformance.test.ts.
 */
export { DEFAULT_DELAYS, type Delays } from './delays.ts';
export type { CaptureFailure } from './media-devices.ts';
export { FakeStream, FakeTrack, type TrackKind } from './media-track.ts';
export type { FakeDataChannel } from './peer/data-channel.ts';
export { FakePeerConnection } from './peer/connection.ts';
export type { FakeTransceiver } from './peer/transceiver.ts';
export { FakePlatform, type FetchHandler, type LogEntry } from './platform.ts';
export { Random } from './random.ts';
export type { Flavour } from './scope.ts';
export { sha256Bytes } from './sha256.ts';
export type { FakeSocket, Frame, ServerSocket } from './socket.ts';
export { Wire, type Fate } from './wire.ts';
export { createFakeWorld, FakeWorld, type PlatformOptions, type Report, type WorldOptions } from './world.ts';
