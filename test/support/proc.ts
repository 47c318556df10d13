export * from './proc.mjs';
