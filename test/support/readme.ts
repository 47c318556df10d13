/**
 * The examples of a Markdown file: its blocks marked `js` or `ts`, each a program of its own.
 *
 * `// → text` in an example is a line that it prints, in this order and nothing else; `…` in it stands for any text.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { type Outcome, runProgram } from './program.js';

export interface Block {
  /** As the fence says: `js`, `sh`, `text`. */
  readonly language: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  /** The heading above it. */
  readonly heading: string;
  readonly code: string;
}

/** @throws Error for a block that does not end */
export function blocksIn(markdown: string): Block[] {
  const blocks: Block[] = [];
  let heading = '';
  let open: { fence: string; language: string; line: number; code: string[] } | undefined;
  for (const [index, text] of markdown.split('\n').entries()) {
    if (open) {
      if (text.trim() === open.fence) {
        blocks.push({ language: open.language, line: open.line, heading, code: open.code.join('\n') });
        open = undefined;
      } else {
        open.code.push(text);
      }
      continue;
    }
    const [, fence, language = ''] = text.match(/^ *(`{3,}|~{3,}) *(\S*)/) ?? [];
    if (fence) open = { fence, language, line: index + 2, code: [] };
    else heading = text.match(/^#+ +(.*)/)?.[1] ?? heading;
  }
  if (open) throw new Error(`the block in line ${open.line} does not end`);
  return blocks;
}

export function isExample({ language }: Block): boolean {
  return language === 'js' || language === 'ts';
}

/** A pattern for each line that the example says it prints. */
function promisedLines({ code }: Block): RegExp[] {
  return [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, text = '']) => {
    const parts = text.trimEnd().split('…');
    return new RegExp(`^${parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')}$`);
  });
}

const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Generous: the other files' tests take the processors. */
const TIMEOUT_MS = 25_000;

/** Runs an example as a user would, in a project's folder of its own: a package.json, and offloop installed. */
async function runExample({ language, line, code }: Block, timeoutMs: number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'offloop-readme-'));
  try {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(packageRoot, join(folder, 'node_modules/offloop'), 'junction');
    writeFileSync(join(folder, 'package.json'), '{ "name": "example", "private": true, "type": "module" }\n');
    const file = join(folder, 'README.mjs');
    const program = language === 'ts' ? compile(code) : code;
    writeFileSync(file, '\n'.repeat(line - 1) + program); // so that errors tell the line
    return await runProgram(pathToFileURL(file), { cwd: folder, timeoutMs });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compile(code: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  return ts.transpileModule(code, { compilerOptions }).outputText;
}

/** Runs an example. @throws Error where it does not end well, or prints anything but what it says */
export async function checkExample(block: Block, timeoutMs = TIMEOUT_MS): Promise<void> {
  const { code, signal, stdout, stderr } = await runExample(block, timeoutMs);
  if (signal === 'SIGKILL') throw new Error(`does not end. It printed:\n${stdout}${stderr}`);
  if (code !== 0 || stderr !== '') throw new Error(`ends with code ${code ?? signal}:\n${stderr}`);
  const printed = stdout.split('\n').slice(0, -1);
  const promised = promisedLines(block);
  const isKept = printed.length === promised.length && promised.every((line, i) => line.test(printed[i] as string));
  if (!isKept) throw new Error(`does not print what it says, but:\n${stdout}`);
}
