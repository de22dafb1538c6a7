internal import CMemory

/// Gives back the memory of program code that is not at work.
///
/// Half of what a waiting build would hold is code that read its template and made its machine.
package func releaseCodePages() {
    release_code_pages()
}
