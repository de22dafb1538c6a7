import HTTPServing
import Pipeline
import Testing

@Suite("Dialogs of an installer")
struct InstallerDialogTests {
    private let start = ContinuousClock.now
    private let error = ["", "  ┌───┤ [!!] Download installer components ├───┐", "  │ Downloading a file failed.  │"]

    private func look(
        _ screen: [String], at seconds: Int, after previous: InstallerDialog? = nil
    ) -> InstallerDialog? {
        InstallerDialog(on: screen, after: previous, now: start + .seconds(seconds))
    }

    @Test("the title of a framed dialog that waits is read")
    func title() {
        #expect(look(error, at: 0)?.title == "[!!] Download installer components")
        #expect(look(["+----| [!] Partition disks |----+"], at: 0)?.title == "[!] Partition disks")
    }

    @Test(
        "a progress bar, a dialog that does not wait and a login banner are not dialogs that wait",
        arguments: [
            "  ┌──────┤ Installing the base system ├──────┐", "  │ 3% │", "[!] Authorized use only",
            "[!!] Partition disks", "",
        ])
    func others(_ line: String) {
        #expect(look([line], at: 0) == nil)
    }

    @Test("a dialog ages as long as the screen stays the same")
    func unchanged() throws {
        var dialog = look(error, at: 0)
        for second in stride(from: 10, through: 180, by: 10) { dialog = look(error, at: second, after: dialog) }
        #expect(try #require(dialog).age(since: start) == .seconds(180))
    }

    @Test("it does not age while nobody looks")
    func unseen() throws {
        #expect(try #require(look(error, at: 10, after: look(error, at: 0))).age(since: start) == .seconds(10))
    }

    @Test("any change of the screen begins anew: somebody moves the cursor, or another dialog comes")
    func changed() throws {
        for other in [error + ["  <Continue>"], ["  ┌───┤ [!] Partition disks ├───┐"]] {
            let next = look(other, at: 100, after: look(error, at: 0))
            #expect(try #require(next).age(since: start) == .zero)
            #expect(try #require(look(other, at: 130, after: next)).age(since: start) == .seconds(30))
        }
        let between = look(["  │ 3% │"], at: 50, after: look(error, at: 0))
        #expect(try #require(look(error, at: 60, after: between)).age(since: start) == .zero)
    }

    @Test("a request or a line of the log is a sign of life")
    func activity() throws {
        let dialog = try #require(look(error, at: 170, after: look(error, at: 0)))
        #expect(dialog.age(since: start + .seconds(100)) == .seconds(70))
        #expect(dialog.age(since: start + .seconds(175)) < .zero)
    }

    @Test(
        "lines of the installer's log that report an error are found by their words",
        arguments: [
            ("<13>net-retriever: error: Bad signature on /tmp/net-retriever-2872-Release.", true),
            ("<28>anna[2872]: WARNING **: bad d-i Packages file", true),
            ("<28>main-menu[330]: WARNING **: Configuring 'download-installer' failed with error code 10", true),
            ("<30>anna[9]: WARNING **: no packages matching running kernel 6.12.94+deb13-amd64 in archive", true),
            ("<31>anna[2932]: DEBUG: resolver (libc6-udeb): package doesn't exist (ignored), error", false),
            ("<4>kernel: [    1.0] ACPI BIOS Error (bug): Could not resolve symbol", false),
            ("<30>debootstrap: Unpacking liberror-perl (0.17029-2) ...", false),
            ("<30>debootstrap: Setting up badge (1.0) ...", false),
        ])
    func errors(_ line: String, _ isError: Bool) {
        #expect(isInstallerError(SyslogMessage(line)) == isError)
    }
}
