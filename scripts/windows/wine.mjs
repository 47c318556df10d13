// Runs programs of Windows under wine, in a prefix of our own below build/windows.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const isFile = (...paths) => paths.find((path) => existsSync(path));
/** Debian keeps the programs themselves out of PATH, where a script would want wine for 32 bits. */
const wine = isFile('/usr/lib/wine/wine64', '/usr/bin/wine64', '/usr/bin/wine');
const wineserver = isFile('/usr/lib/wine/wineserver64', '/usr/lib/wine/wineserver', '/usr/bin/wineserver');

/** A path of ours as programs of Windows see it. */
export const windowsPath = (path) => `Z:${path.replaceAll('/', '\\')}`;

export class Wine {
  #folder;
  #environment;

  /** @param {string} folder where the prefix and the output of programs go */
  constructor(folder) {
    this.#folder = folder;
    this.#environment = {
      ...process.env,
      WINEPREFIX: join(folder, 'prefix'),
      WINEARCH: 'win64',
      WINEDEBUG: '-all',
      WINEDLLOVERRIDES: 'mscoree,mshtml,winedbg.exe=',
      DISPLAY: '',
      // npm's words are about the system that builds
      ...Object.fromEntries(
        Object.keys(process.env)
          .filter((key) => /^npm_/.test(key))
          .map((key) => [key, undefined]),
      ),
    };
  }

  static get isInstalled() {
    return wine !== undefined && wineserver !== undefined;
  }

  /** Makes the prefix, unless it is there: a Windows 10, with `library` among its own. */
  async prepare(library) {
    const ready = join(this.#folder, 'prefix/.offloop-ready');
    if (existsSync(ready)) return;
    mkdirSync(this.#folder, { recursive: true });
    for (const args of [
      ['wineboot', '-i'],
      ['winecfg', '-v', 'win10'],
    ]) {
      const { output, status } = await this.run(args, { limitMs: 120_000 });
      if (status !== 0) throw new Error(`wine ${args.join(' ')}: ${status}\n${output}`);
    }
    copyFileSync(library, join(this.#folder, 'prefix/drive_c/windows/system32', library.replace(/.*\//, '')));
    writeFileSync(ready, '');
  }

  /**
   * Runs a program to its end, or to the end of its time. Its output goes by way of a file: Node for Windows cannot write to
   * a pipe of another system.
   * @returns {Promise<{ status: number | string, output: string }>}
   */
  run([program, ...args], { limitMs, cwd, env }) {
    const log = join(this.#folder, 'output.txt');
    const out = openSync(log, 'w');
    // A group of its own, so that its children can be ended with it.
    const options = { cwd, env: { ...this.#environment, ...env }, stdio: ['ignore', out, out], detached: true };
    const child = spawn(wine, [program, ...args], options);
    closeSync(out);
    return new Promise((resolve, reject) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        process.kill(-child.pid, 'SIGKILL');
      }, limitMs);
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        clearTimeout(timer);
        const status = late ? `not ended after ${limitMs / 1000} s` : (code ?? signal);
        resolve({ status, output: readFileSync(log, 'utf8').replaceAll('\r', '') });
      });
    });
  }

  /** Ends whatever still runs in the prefix. */
  end() {
    spawnSync(wineserver, ['-k'], { env: this.#environment });
  }
}
