// Reads what Darwin's loader would: the header, the load commands and the symbols of a 64-bit Mach-O file.

const kMagic = 0xfeedfacf;
const kCommands = { symbols: 0x2, buildVersion: 0x32 };
const kHeaderBytes = 32;
const kSymbolBytes = 16;
/** Which library an undefined symbol comes from: whichever has it. */
const kAnyLibrary = 0xfe;

const machines = { 16777223: 'x86_64', 16777228: 'aarch64' };
const kinds = { 2: 'program', 6: 'library', 8: 'bundle' };
const platforms = { 1: 'macOS' };

/**
 * @param {Buffer} file
 * @returns {{ machine?: string, kind?: string, platform?: string, exported: string[], leftToTheHost: string[] }}
 */
export function readMachO(file) {
  if (file.readUInt32LE(0) !== kMagic) throw new Error('not a 64-bit Mach-O file');
  const found = {
    machine: machines[file.readUInt32LE(4)],
    kind: kinds[file.readUInt32LE(12)],
    platform: undefined,
    exported: [],
    leftToTheHost: [],
  };
  const commands = file.readUInt32LE(16);
  for (let i = 0, at = kHeaderBytes; i < commands; i++, at += file.readUInt32LE(at + 4)) {
    const command = file.readUInt32LE(at);
    if (command === kCommands.buildVersion) found.platform = platforms[file.readUInt32LE(at + 8)];
    if (command === kCommands.symbols) Object.assign(found, readSymbols(file, at));
  }
  return found;
}

function readSymbols(file, at) {
  const [first, count, names] = [8, 12, 16].map((offset) => file.readUInt32LE(at + offset));
  const exported = [];
  const leftToTheHost = [];
  for (let i = 0; i < count; i++) {
    const symbol = first + i * kSymbolBytes;
    const start = names + file.readUInt32LE(symbol);
    const name = file.toString('latin1', start, file.indexOf(0, start));
    const type = file.readUInt8(symbol + 4);
    const isOfDebugger = (type & 0xe0) !== 0;
    const isExternal = (type & 0x01) !== 0 && (type & 0x10) === 0;
    if (isOfDebugger || !isExternal) continue;
    if ((type & 0x0e) !== 0) exported.push(name);
    else if (file.readUInt8(symbol + 7) === kAnyLibrary) leftToTheHost.push(name);
  }
  return { exported, leftToTheHost };
}
