import Foundation
import ProxmoxConfiguration
import Scopes
import Synchronization

extension ProxmoxClient {
    /// Makes a template from images on this machine.
    ///
    /// It checks everything first; sends the images; creates the machine with copies of them; makes it a template; and
    /// then removes what was sent and what the new template takes the place of. If it fails or is cancelled before the
    /// template is complete, all that it made is removed again, and nothing else; from then on nothing can fail, only
    /// leave a warning. A template whose number is taken over has to go before the new one comes, right after the
    /// images have arrived.
    ///
    /// - Parameters:
    ///   - shell: a shell on the node, for servers that take no images through the API.
    ///   - report: Called with what happens, from any thread.
    /// - Throws: `BuildError` with what to do; `CancellationError`.
    package func uploadTemplate(
        _ upload: TemplateUpload, shell: (any ProxmoxShell)? = nil,
        report: @escaping @Sendable (UploadEvent) -> Void = { _ in }
    ) async throws -> UploadedTemplate {
        report(.step("check the server"))
        let plan = try await plan(upload, hasShell: shell != nil)
        let sent = SentFiles()
        let result = try await withTeardowns(report: { report(.leftBehind($0)) }) { teardowns in
            var upload = ImageTransfer(client: self, plan: plan, teardowns: teardowns, sent: sent, report: report)
            let machine: CreatedMachine
            let evicted: [Int]
            switch plan.route {
            case .importing(let storage):
                let drives = try await upload.send(to: storage)
                evicted = try await evict(plan, report)
                machine = try await create(plan, drives, teardowns, report)
            case .shell:
                guard let shell else {
                    throw BuildError(
                        plan.operation, because: "no SSH access to the node was given", hint: "Set its SSH options.")
                }
                try await requireNode(of: plan, behind: shell)
                let files = try await upload.send(through: shell)
                evicted = try await evict(plan, report)
                machine = try await create(plan, [:], teardowns, report)
                try await attach(files, to: machine, plan, shell, report)
            }
            try await finish(machine, plan, report)
            return UploadedTemplate(
                vmid: machine.vmid, name: plan.machine.name, node: plan.node, removed: evicted)
        }
        // The template is complete: what is left to do does not stop half-way, and awaited at once it stays structured.
        return await Task { await settle(result, plan, sent, report) }.value
    }

    /// Removes the template whose number the new one takes.
    ///
    /// - Returns: its number, if it was still there.
    private func evict(_ plan: UploadPlan, _ report: @Sendable (UploadEvent) -> Void) async throws -> [Int] {
        guard let old = plan.evicted else { return [] }
        report(.step("remove template \(old.vmid), whose number is taken over"))
        return try await remove(old) ? [old.vmid] : []
    }

    private func create(
        _ plan: UploadPlan, _ drives: [DriveSlot: DriveContent], _ teardowns: Teardowns,
        _ report: @Sendable (UploadEvent) -> Void
    ) async throws -> CreatedMachine {
        var attempt = 1
        let later = Set(plan.upload.images.map(\.slot)).subtracting(drives.keys)
        let parameters = plan.machine.creationParameters(drives: drives, without: later)
        while true {
            let vmid: Int
            if let fixed = plan.machine.vmid { vmid = fixed } else { vmid = try await nextMachineID() }
            report(.step("create machine \(vmid) on node \(plan.node)"))
            let machine = CreatedMachine(vmid: vmid, node: plan.node, uuid: plan.machine.smbiosUUID)
            teardowns.add("remove machine \(vmid)") { outcome in
                if case .failure = outcome { try await self.remove(machine) }
            }
            let task: UPID
            do {
                task = try await startCreation(of: vmid, on: plan.node, parameters)
            } catch let error as BuildError {
                if error.saysNothingWasDone { machine.state.withLock { $0 = .refused } }
                // Somebody took the number in between.
                if plan.machine.vmid == nil, (error.underlying as? APIRefusal)?.saysMachineExists == true, attempt < 3 {
                    attempt += 1
                    continue
                }
                throw error
            }
            machine.state.withLock { $0 = .started(task) }
            try await wait(for: task, to: "create machine \(vmid)")
            machine.state.withLock { $0 = .made }
            return machine
        }
    }

    /// Waits for a task on a machine of ours, which would be in the way of the machine's removal.
    private func wait(for task: UPID?, on machine: CreatedMachine, to operation: String) async throws {
        guard let task else { return }
        machine.work.withLock { $0 = task }
        try await wait(for: task, to: operation)
        machine.work.withLock { $0 = nil }
    }

    /// Imports files that lie on the node, and attaches what comes of them.
    private func attach(
        _ files: [DriveSlot: String], to machine: CreatedMachine, _ plan: UploadPlan, _ shell: any ProxmoxShell,
        _ report: @Sendable (UploadEvent) -> Void
    ) async throws {
        let vmid = machine.vmid
        var drives: [DriveSlot: DriveContent] = [:]
        for (slot, file) in files.sorted(by: { $0.key < $1.key }) {
            report(.step("import \(slot)"))
            let operation = "import \(slot) into machine \(vmid) on node \(plan.node)"
            let before = Set(try await requiredOptions(of: vmid, plan).unusedVolumes.values)
            var command = "qm importdisk \(vmid) \(Self.quoted(file)) \(Self.quoted(plan.machine.storage(of: slot)))"
            if let format = plan.machine.format(of: slot) { command += " --format \(format.rawValue)" }
            let outcome = try await attempting(operation, hint: "Check the SSH access to the node.") {
                try await shell.run("LC_ALL=C " + command)
            }
            guard outcome.exitCode == 0 else {
                let words = Self.oneLine(String(outcome.output.suffix(1000)))
                let hint =
                    words.contains("command not found") || words.contains("Permission denied")
                    ? "The SSH user must be root, on a node of Proxmox VE."
                    : RefusalAdvice.hint(
                        for: APIRefusal(status: 500, message: words), privileges: nil, credentials: server.credentials)
                throw BuildError(
                    operation, because: "“\(command)” ended with exit code \(outcome.exitCode): \(words)", hint: hint)
            }
            let fresh = try await requiredOptions(of: vmid, plan).unusedVolumes.values.filter { !before.contains($0) }
            guard fresh.count == 1, let volume = fresh.first else {
                throw BuildError(
                    operation, because: "the machine has \(fresh.count) new volumes instead of one",
                    hint: "See the machine's hardware on the server; something else may have changed it.")
            }
            drives[slot] = .volume(volume)
        }
        report(.step("attach the disks"))
        let change = try await startChange(
            of: vmid, on: plan.node, plan.machine.attachmentParameters(drives: drives))
        try await wait(for: change, on: machine, to: "attach the disks of machine \(vmid)")
    }

    private func requiredOptions(of vmid: Int, _ plan: UploadPlan) async throws -> MachineOptions {
        guard let options = try await options(of: vmid, on: plan.node) else {
            throw BuildError(
                plan.operation, because: "machine \(vmid) vanished", hint: "See the task history of node \(plan.node).")
        }
        return options
    }

    private func finish(
        _ machine: CreatedMachine, _ plan: UploadPlan, _ report: @Sendable (UploadEvent) -> Void
    ) async throws {
        let vmid = machine.vmid
        for image in plan.upload.images {
            guard let size = image.grownSize else { continue }
            report(.step("enlarge \(image.slot)"))
            let resize = try await startResize(
                of: image.slot, to: MachineConfiguration.sizeText(size), vmid: vmid, on: plan.node)
            try await wait(for: resize, on: machine, to: "enlarge \(image.slot)")
        }
        guard plan.machine.isTemplate else { return }
        report(.step("make machine \(vmid) a template"))
        let template = try await startTemplate(of: vmid, on: plan.node)
        try await wait(for: template, on: machine, to: "make machine \(vmid) a template")
        guard try await requiredOptions(of: vmid, plan).isTemplate else {
            throw BuildError(
                "make machine \(vmid) a template", because: "the server says that it is not one",
                hint: "See the log of its task on node \(plan.node).")
        }
    }

    /// Removes what was sent, and what the new template takes the place of.
    private func settle(
        _ result: UploadedTemplate, _ plan: UploadPlan, _ sent: SentFiles, _ report: @Sendable (UploadEvent) -> Void
    ) async -> UploadedTemplate {
        var result = result
        for file in sent.all {
            do { try await file.remove() } catch { result.warnings.append("\(error)") }
        }
        var outdated = plan.replaced
        if case .version(_, let keep?) = plan.upload.existing { outdated += plan.versions.dropFirst(keep - 1) }
        // Another run may have removed one of them meanwhile, and the new template got its number.
        for old in outdated where old.vmid != result.vmid {
            report(.step("remove template \(old.vmid) (\(old.name))"))
            do {
                // Nothing interrupts this, so it does not take as long as other tasks may.
                if try await remove(old, limit: server.pace.cleanupLimit) { result.removed.append(old.vmid) }
            } catch { result.warnings.append("\(error)") }
        }
        return result
    }

    /// A word for `sh`.
    static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}
