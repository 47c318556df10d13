// The bodies of the built-in operations. Each line gives the arguments and the result as the body sees them.
// Data is text or bytes alike: text has crossed as UTF-8.
#pragma once

#include "offloop/task.hpp"

namespace offloop::ops {

// time.cpp
Status noop(Call& call);   // () -> undefined
Status spin(Call& call);   // (ms: number) -> undefined
Status sleep(Call& call);  // (ms: number) -> undefined

// lookup.cpp
// (host: text, the same in ASCII: text, its family if it is an address: number, AddressOrder: number) -> [text, family]
Status lookup(Call& call);

// files.cpp
Status read_file(Call& call);   // (path: data) -> bytes
Status write_file(Call& call);  // (path: data, contents: data) -> undefined
Status stat(Call& call);        // (path: data) -> the fields of FileStatus as a tuple, in their order
Status exists(Call& call);      // (path: data) -> boolean
Status unlink(Call& call);      // (path: data) -> undefined

// hash.cpp, derive.cpp
Status hash(Call& call);    // (algorithm: text, data) -> bytes
Status scrypt(Call& call);  // (password: data, salt: data, size, N, r, p, maximum of memory: numbers) -> bytes
Status pbkdf2(Call& call);  // (password: data, salt: data, iterations: number, size: number, digest: text) -> bytes

// compress.cpp, decompress.cpp
Status deflate(Call& call);  // (data, level, window bits, memory level, strategy: numbers) -> bytes
Status gzip(Call& call);     // the same
Status inflate(Call& call);  // (data, window bits: number) -> bytes
Status gunzip(Call& call);   // the same

// base64.cpp
Status to_base64(Call& call);    // (data) -> text
Status from_base64(Call& call);  // (text, of which only the low byte of each UTF-16 unit counts: bytes) -> bytes

// The same operations on streams: a step of each, as ops/steps.hpp has it. A piece of text has crossed as bytes.
Status read_file_step(Call& call);
Status write_file_step(Call& call);
Status hash_step(Call& call);
Status deflate_step(Call& call);
Status inflate_step(Call& call);
Status gzip_step(Call& call);
Status gunzip_step(Call& call);
Status to_base64_step(Call& call);
Status from_base64_step(Call& call);
Status end_stream(Call& call);  // steps.cpp: (the stream) -> undefined; for one that does not end by itself

// queues.cpp
Status produce(Call& call);  // (to: queue, count: number) -> undefined
Status relay(Call& call);    // (from, to: queues) -> how many: number

// lines.cpp
// (descriptor: number, most bytes of a line: number, as bytes instead of text: boolean, not used, to: queues) -> how many:
// number
Status read_lines(Call& call);

}  // namespace offloop::ops
