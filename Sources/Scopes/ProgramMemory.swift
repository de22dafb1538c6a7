internal import CMemory

/// Releases the memory of program code that is not running.
///
/// Half of the memory of a waiting build would be code that has read the template and created the machine.
package func releaseCodePages() {
    release_code_pages()
}
