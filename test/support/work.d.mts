export const TASKS: number;
export function workToTheEnd(): Promise<unknown[]>;
export function workForever(): Promise<void>;
