#pragma once
#include <archive.h>
#include <archive_entry.h>

/// Loads libarchive, once. NULL when it is there, else the dynamic linker's words.
const char *ingot_libarchive_problem(void);
