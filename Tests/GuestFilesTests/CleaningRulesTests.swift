import GuestFiles
import Testing

@Suite("What is removed from which system")
struct CleaningRulesTests {
    private func patterns(_ family: GuestSystem.Family, _ parts: Set<Generalisation.Part>) -> Set<String> {
        Set(cleaningRules(for: family, parts).map(\.pattern))
    }

    @Test(
        "each package manager's cache goes from its own systems",
        arguments: [
            (GuestSystem.Family.debian, "/var/cache/apt/archives/*.deb"), (.ubuntu, "/var/cache/apt/archives/*.deb"),
            (.fedora, "/var/cache/libdnf5/*"), (.rhel, "/var/cache/yum/*"), (.alpine, "/var/cache/apk/*"),
            (.arch, "/var/cache/pacman/pkg/*"), (.suse, "/var/cache/zypp/packages/*"),
        ])
    func caches(family: GuestSystem.Family, pattern: String) {
        #expect(patterns(family, [.packageCaches]).contains(pattern))
        #expect(!patterns(family, [.logs]).contains(pattern))
        #expect(!patterns(.otherLinux, [.packageCaches]).contains(pattern))
    }

    @Test("the machine's identity goes from every Linux, and from nothing else")
    func identity() {
        for family in [GuestSystem.Family.debian, .fedora, .rhel, .alpine, .arch, .suse, .otherLinux] {
            let rules = cleaningRules(for: family, [.machineID])
            #expect(rules.contains(CleaningRule(part: .machineID, pattern: "/etc/machine-id", action: .empty)))
        }
        #expect(cleaningRules(for: .windows, Set(Generalisation.Part.allCases)).isEmpty)
        #expect(cleaningRules(for: .unknown, Set(Generalisation.Part.allCases)).isEmpty)
    }

    @Test("a part that is switched off leaves no rule")
    func parts() {
        for part in Generalisation.Part.allCases {
            let others = Set(Generalisation.Part.allCases).subtracting([part])
            #expect(cleaningRules(for: .debian, others).allSatisfy { $0.part != part })
        }
        #expect(cleaningRules(for: .debian, []).isEmpty)
    }

    @Test("no rule reaches beyond what it names")
    func bounded() {
        for family in [GuestSystem.Family.debian, .fedora, .rhel, .alpine, .arch, .suse] {
            for rule in cleaningRules(for: family, Set(Generalisation.Part.allCases)) {
                let parts = rule.pattern.split(separator: "/")
                #expect(rule.pattern.hasPrefix("/"))
                #expect(parts.count >= 2, "\(rule.pattern)")
                #expect(!parts[0].contains("*"), "\(rule.pattern)")
            }
        }
    }

    @Test(
        "a derived system is of the kind of its package manager",
        arguments: [
            ("mageia", "dnf", GuestSystem.Family.fedora), ("voidlinux", "xbps", .otherLinux), ("neon", "apt", .debian),
            ("opensuse-tumbleweed", "zypper", .suse), ("rocky", "dnf", .rhel), ("alpinelinux", "apk", .alpine),
        ])
    func families(distribution: String, manager: String, family: GuestSystem.Family) {
        let system = GuestSystem(kind: "linux", distribution: distribution, packageManagement: manager)
        #expect(system.family == family)
    }

    @Test(
        "rotated logs go, others are emptied",
        arguments: [
            ("syslog.1", LogFate.remove), ("apt/history.log.2.gz", .remove), ("messages-20260131", .remove),
            ("journal/abc/system.journal", .remove), ("syslog", .empty), ("wtmp", .empty), ("apt/term.log", .empty),
            ("dnf.log", .empty), ("cloud-init.log", .empty), ("a-b.log", .empty), ("README", .keep),
        ])
    func logs(path: String, fate: LogFate) {
        #expect(LogFate(path) == fate)
    }
}

@Suite("Keys and accounts")
struct AccountTests {
    private let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBuild packer"

    @Test("the build's key goes, whatever options and comment it carries")
    func removal() {
        let text = """
            # keys
            ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOther jo@example
            from="10.0.0.0/8, 192.168.0.0/16",no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBuild another comment
            ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBuildLonger it is a different key

            """
        let rest = AuthorizedKeys(text: text).removing([key])
        #expect(rest?.keys.count == 2)
        #expect(rest?.text.contains("another comment") == false)
        #expect(rest?.text.hasPrefix("# keys\n") == true)
        #expect(rest?.names == ["jo@example", "it is a different key"])
    }

    @Test("lines that end as Windows ends them are lines")
    func carriageReturns() {
        let text = "\(key)\r\nssh-rsa AAAAB3Other jo\r\n"
        #expect(AuthorizedKeys(text: text).removing([key])?.text == "ssh-rsa AAAAB3Other jo\r\n")
    }

    @Test("a file without the key is not touched")
    func untouched() {
        #expect(AuthorizedKeys(text: "ssh-rsa AAAAB3Other jo\n").removing([key]) == nil)
        #expect(AuthorizedKeys(text: "").removing(["no key at all"]) == nil)
    }

    @Test("a key is added once, on a line of its own")
    func addition() {
        let once = AuthorizedKeys(text: "ssh-rsa AAAAB3Other jo").adding(key)
        #expect(once.text == "ssh-rsa AAAAB3Other jo\n\(key)\n")
        #expect(once.adding(key).text == once.text)
    }

    @Test("passwords, locked passwords and missing ones are distinguished")
    func passwords() {
        let states = PasswordState.read("root:$y$j9T$x:1::::::\njo::1::::::\ndaemon:*:1::::::\npat:!$6$x:1::::::\nbad")
        #expect(states == ["root": .set, "jo": .empty, "daemon": PasswordState.none, "pat": PasswordState.none])
    }

    @Test("lines that are no account are left out")
    func accounts() {
        let text =
            "root:x:0:0:root:/root:/bin/bash\n# no\n:x:1:1::/:/\nevil:x:99999999999:0::/:/bin/sh\njo:x:1000:1000::/home/jo:/bin/sh"
        #expect(Account.read(text).map(\.name) == ["root", "jo"])
    }
}

@Suite("What is put in")
struct InjectionTests {
    @Test("the old host name's line in /etc/hosts carries the new one")
    func hosts() {
        let text = "127.0.0.1\tlocalhost\n127.0.1.1\told.example.org\told\n::1 localhost ip6-localhost\n"
        #expect(
            renameHost(inHosts: text, from: "old.example.org", to: "new")
                == "127.0.0.1\tlocalhost\n127.0.1.1\tnew\n::1 localhost ip6-localhost\n")
        #expect(
            renameHost(inHosts: text, from: "old.example.org", to: nil)
                == "127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n")
        #expect(renameHost(inHosts: text, from: "", to: "new") == text)
        #expect(renameHost(inHosts: text, from: "localhost", to: "new") == text)
    }

    @Test("host names are checked")
    func hostNames() {
        #expect(isHostName("golden-1.example.org"))
        for name in ["", "-a", "a b", "a\nb", "a..b", "ä", String(repeating: "a", count: 65)] {
            #expect(!isHostName(name), "\(name)")
        }
    }

    @Test("swap files are found in fstab, devices are not")
    func swapFileList() {
        let table = """
            UUID=1 / ext4 defaults 0 1
            /swap.img none swap sw 0 0
            /dev/sda2 none swap sw 0 0
            # /old none swap sw 0 0
            UUID=2 none swap sw 0 0
            """
        #expect(swapFiles(inTable: table) == ["/swap.img"])
    }

    @Test("the host keys' unit is skipped where there are keys, and comes before sshd")
    func unit() {
        let text = FirstBootUnit.hostKeys.systemdText
        #expect(text.contains("ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key\n"))
        #expect(text.contains("Before=ssh.service sshd.service"))
        #expect(text.contains("ExecStart=/usr/bin/ssh-keygen -A\n"))
    }

    @Test("Dropbear's keys are made by its own tool, before it starts")
    func dropbearUnit() {
        let text = FirstBootUnit.dropbearKeys.systemdText
        #expect(text.contains("Before=dropbear.service\n"))
        #expect(text.contains("ExecStart=/bin/sh -c '/usr/bin/dropbearkey -t rsa -f "))
        #expect(text.contains("-t ed25519 -f /etc/dropbear/dropbear_ed25519_host_key'\n"))
    }

    @Test(
        "a service that makes host keys is told from one that does not",
        arguments: [
            ("[Unit]\nWants=dropbear-keygen.service\n", true), ("ExecStart=/usr/sbin/dropbear -EF -R -p 22\n", true),
            ("DROPBEAR_EXTRA_ARGS=\"-R\"\n", true), ("    dropbearkey -t rsa -f $key\n", true),
            ("# dropbearkey -t rsa\n#DROPBEAR_EXTRA_ARGS=\"-R\"\n", false), ("chown -R root $folder\n", false),
            ("ExecStart=/usr/sbin/dropbear -EF -p \"$DROPBEAR_PORT\" -W \"$DROPBEAR_RECEIVE_WINDOW\"\n", false),
        ])
    func makers(text: String, makesKeys: Bool) {
        #expect(SSHServer.dropbear.makesKeys(text) == makesKeys)
    }
}
