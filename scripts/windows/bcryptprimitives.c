// The one function of bcryptprimitives.dll that libraries written in Rust import, vitest's among them: wine 8 has no such file.
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);  // RtlGenRandom

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T size) {
  while (size > 0) {
    const ULONG piece = size > 65536 ? 65536 : (ULONG)size;
    if (!SystemFunction036(bytes, piece)) return FALSE;
    bytes += piece;
    size -= piece;
  }
  return TRUE;
}
