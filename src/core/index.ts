/** The headless core: a whole call without an interface, usable on its own. */
export { Call, DEFAULT_OPTIONS } from './call/call.ts';
export { isActive } from './call/phase.ts';
export type {
  CallEvents,
  CallLike,
  CallOptions,
  SendDataOptions,
  SendFileOptions,
  AcceptFileOptions,
  Size,
} from './call/types.ts';
export type { AudioProcessing } from './media/constraints.ts';
export type { Processor } from './media/processing.ts';
export type { ScreenHint } from './media/local.ts';
export { isPmError, PmError, toPmError, type PmErrorCode } from './errors.ts';
export { browserPlatform, type Platform } from './platform.ts';
export * from './state/call-state.ts';
export { Store } from './state/store.ts';
export { reduce, type Action } from './state/reducer.ts';
export type { InboundStats, LinkPath, LinkStats, OutboundStats } from './transport/stats.ts';
export {
  TIMELINE_STEPS,
  type MediaTransport,
  type TimelineEntry,
  type TimelineStep,
} from './transport/transport.ts';
