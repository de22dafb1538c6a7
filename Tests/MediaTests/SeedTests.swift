import Foundation
import Media
import Testing

/// The files of a disc as a Linux guest sees them, and their content.
private func extracted(_ image: String, to folder: String) throws -> [String: String] {
    try output(of: "xorriso", "-osirrox", "on", "-indev", image, "-extract", "/", folder)
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
    var files: [String: String] = [:]
    for name in names {
        if let data = FileManager.default.contents(atPath: folder + "/" + name) {
            files[name] = String(decoding: data, as: UTF8.self)
        }
    }
    return files
}

private func makeFiles(_ folder: String) throws {
    try write("u", to: folder + "/seed/user-data")
    try write("m", to: folder + "/seed/meta-data")
    try write("deep", to: folder + "/seed/scripts/A rather long name with spaces.ps1")
    try write("one", to: folder + "/file1.txt")
    try write("two", to: folder + "/file2.txt")
}

@Suite struct SeedISOTests {
    @Test("a folder keeps its name, a pattern puts contents at the root, and content wins over files")
    func layout() async throws {
        try await withScratch { folder in
            try makeFiles(folder)
            let image = folder + "/cd.iso"
            try await SeedISO.write(
                files: ["seed/*", "seed", "file[12].txt"], content: ["meta-data": "given", "/new/dir/x": "ä\n"],
                label: "cidata", to: image, workingDirectory: folder)
            let files = try extracted(image, to: folder + "/out")
            #expect(
                files == [
                    "user-data": "u", "meta-data": "given", "scripts/A rather long name with spaces.ps1": "deep",
                    "seed/user-data": "u", "seed/meta-data": "m",
                    "seed/scripts/A rather long name with spaces.ps1": "deep",
                    "file1.txt": "one", "file2.txt": "two", "new/dir/x": "ä\n",
                ])
        }
    }

    @Test(
        "the label is kept as given where cloud-init looks for it", arguments: ["cidata", "CIDATA", "OEMDRV", "packer"])
    func label(label: String) async throws {
        try await withScratch { folder in
            let image = folder + "/cd.iso"
            try await SeedISO.write(
                files: [], content: ["user-data": "#cloud-config\n"], label: label, to: image, workingDirectory: folder)
            let found = try output(of: "blkid", "-p", "-s", "LABEL", "-o", "value", image)
            #expect(found == label + "\n")
            #expect(try output(of: "xorriso", "-indev", image, "-pvd_info").contains("Volume Id    : \(label)\n"))
        }
    }

    @Test("the long names are in the Joliet tree, too, for Windows")
    func joliet() async throws {
        try await withScratch { folder in
            let image = folder + "/cd.iso"
            try await SeedISO.write(
                files: [], content: ["autounattend.xml": "x"], label: "packer", to: image, workingDirectory: folder)
            let bytes = try Data(contentsOf: URL(filePath: image))
            let name = Data("autounattend.xml".utf8.flatMap { [0, $0] })
            #expect(bytes.range(of: name) != nil)
        }
    }

    @Test("a missing file, an unmatched pattern and a long label are errors that name them, and leave nothing")
    func errors() async throws {
        try await withScratch { folder in
            func message(_ files: [String], _ label: String = "x") async -> String {
                await failure {
                    try await SeedISO.write(
                        files: files, content: [:], label: label, to: folder + "/cd.iso", workingDirectory: folder)
                }
            }
            #expect(await message(["nothing"]).contains(folder + "/nothing does not exist"))
            #expect(await message(["*.none"]).contains("`*.none`: nothing matches"))
            #expect(await message([], String(repeating: "x", count: 33)).contains("at most 32"))
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(left.isEmpty)
            let outside = await failure {
                try await SeedISO.write(
                    files: [], content: ["../x": ""], label: "x", to: folder + "/cd.iso", workingDirectory: folder)
            }
            #expect(outside.contains("../x"))
        }
    }

    @Test("a link that leads back up ends in an error, not in an endless disc")
    func loops() async throws {
        try await withScratch { folder in
            try write("x", to: folder + "/a/file")
            try FileManager.default.createSymbolicLink(atPath: folder + "/a/up", withDestinationPath: "..")
            let message = await failure {
                try await SeedISO.write(
                    files: ["a"], content: [:], label: "x", to: folder + "/cd.iso", workingDirectory: folder)
            }
            #expect(message.contains("too large a tree"))
        }
    }
}

@Suite struct FloppyTests {
    @Test("mtools reads the floppy: files at the root, folders with their tree, long names, content")
    func layout() async throws {
        try await withScratch { folder in
            try makeFiles(folder)
            let image = folder + "/floppy.img"
            let large = String(repeating: "0123456789abcdef", count: 5000)
            try await FloppyImage.write(
                files: ["file1.txt", "seed"], directories: ["seed"],
                content: ["Autounattend.xml": "<x/>", "sub/large.bin": large, "file1.txt": "wins", "empty": ""],
                label: "packer", to: image, workingDirectory: folder)
            #expect(try output(of: "stat", "-c", "%s", image) == "1474560\n")
            func text(_ name: String) throws -> String { try output(of: "mtype", "-i", image, "::" + name) }
            #expect(try text("Autounattend.xml") == "<x/>")
            #expect(try text("file1.txt") == "wins")
            #expect(try text("A rather long name with spaces.ps1") == "deep")
            #expect(try text("seed/scripts/A rather long name with spaces.ps1") == "deep")
            #expect(try text("seed/user-data") == "u")
            #expect(try text("sub/large.bin") == large)
            #expect(try text("empty") == "")
            #expect(try output(of: "mdir", "-i", image, "-b").contains("::/user-data"))
            #expect(try output(of: "mlabel", "-s", "-i", image).contains("PACKER"))
            let check = try output(of: "fsck.fat", "-n", image)
            #expect(check.contains("clusters") && !check.contains("differ") && !check.contains("Bad"), "\(check)")
        }
    }

    @Test("names that are alike in their first eight letters all stay")
    func shortNames() async throws {
        try await withScratch { folder in
            let image = folder + "/floppy.img"
            let names = (0..<30).map { "similar name \($0).text" }
            try await FloppyImage.write(
                files: [], directories: [], content: Dictionary(uniqueKeysWithValues: names.map { ($0, $0) }),
                label: "",
                to: image, workingDirectory: folder)
            for name in names { #expect(try output(of: "mtype", "-i", image, "::" + name) == name) }
            let check = try output(of: "fsck.fat", "-n", image)
            #expect(check.contains("30 files") && !check.contains("not valid"), "\(check)")
        }
    }

    @Test("a floppy filled to its last sector is whole, and one byte more is refused with both sizes")
    func capacity() async throws {
        try await withScratch { folder in
            let image = folder + "/floppy.img"
            func make(_ size: Int) async throws {
                try await FloppyImage.write(
                    files: [], directories: [], content: ["f": String(repeating: "x", count: size)], label: "a",
                    to: image, workingDirectory: folder)
            }
            try await make(2847 * 512)
            #expect(try output(of: "mtype", "-i", image, "::f").count == 2847 * 512)
            try FileManager.default.removeItem(atPath: image)
            let message = await failure { try await make(2847 * 512 + 1) }
            #expect(message.contains("1458176 bytes") && message.contains("1457664"))
            #expect(!FileManager.default.fileExists(atPath: image))
        }
    }

    @Test("names that FAT cannot write, and two that differ in case only, are errors")
    func names() async throws {
        try await withScratch { folder in
            func message(_ content: [String: String]) async -> String {
                await failure {
                    try await FloppyImage.write(
                        files: [], directories: [], content: content, label: "a", to: folder + "/f",
                        workingDirectory: folder)
                }
            }
            #expect(await message(["a:b": ""]).contains("“a:b”"))
            #expect(await message(["ab": "", "AB": ""]).contains("two files"))
            let many = Dictionary(uniqueKeysWithValues: (0..<150).map { ("file number \($0)", "") })
            #expect(await message(many).contains("entries"))
        }
    }
}

@Suite struct GlobTests {
    @Test("stars, question marks and classes match names in one folder; hidden names too")
    func patterns() async throws {
        try await withScratch { folder in
            for name in ["a1", "a2", "b1", ".a3", "sub/a1", "sub/c"] { try write("", to: folder + "/" + name) }
            func names(_ pattern: String) throws -> [String] {
                try expandGlob(pattern, workingDirectory: folder).map { String($0.dropFirst(folder.count + 1)) }
            }
            #expect(try names("a*") == ["a1", "a2"])
            #expect(try names("*") == [".a3", "a1", "a2", "b1", "sub"])
            #expect(try names("?1") == ["a1", "b1"])
            #expect(try names("[b-z]*") == ["b1", "sub"])
            #expect(try names("*/[^a]*") == ["sub/c"])
            #expect(try names(folder + "/sub/*") == ["sub/a1", "sub/c"])
            try write("", to: folder + "/x[1]")
            #expect(try names("x[1]") == ["x[1]"])
        }
    }
}
