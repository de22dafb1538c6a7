#pragma once
#include <malloc.h>
#include <pthread.h>
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

// A GNU extension, which a module does not get by defining _GNU_SOURCE.
extern int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes);

// The lowest address of the current thread's stack; 0 where the system does not tell.
static inline uintptr_t lowest_stack_address(void) {
  pthread_attr_t attributes;
  void *start = 0;
  size_t size;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
  if (pthread_attr_getstack(&attributes, &start, &size) != 0) start = 0;
  pthread_attr_destroy(&attributes);
  return (uintptr_t)start;
}
