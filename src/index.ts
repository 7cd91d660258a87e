/** The single module: importing it defines every element. */
export * from './define.ts';
export { callContext } from './elements/context.ts';
export * from './elements/events.ts';
export { Call, isPmError, PmError, TIMELINE_STEPS } from './core/index.ts';
export type * from './core/index.ts';
