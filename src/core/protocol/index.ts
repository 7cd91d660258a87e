export * from './codec.ts';
export * from './identity.ts';
export * from './limits.ts';
export * from './schema.ts';
