export * from './program.mjs';
