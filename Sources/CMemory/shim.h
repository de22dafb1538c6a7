#pragma once
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

// Where the linker puts the program's own code.
extern const char __executable_start[], etext[];

// Gives back the pages of the program's code; those that are needed are mapped again at their next use.
static inline void release_code_pages(void) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t start = ((uintptr_t)__executable_start + page - 1) / page * page;
  uintptr_t end = (uintptr_t)etext / page * page;
  if (end > start) (void)madvise((void *)start, end - start, MADV_DONTNEED);
}
