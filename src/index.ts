/** The single module: importing it defines every element. */
export * from './define.ts';
export { callContext } from './elements/context.ts';
export * from './elements/events.ts';
export * from './core/index.ts';
