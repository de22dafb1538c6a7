/// A regular expression as instructions of a machine that goes through the text once, following all ways at the same time.
///
/// Its time is the product of both lengths, whatever the pattern, and bounded.
struct RegexProgram: Sendable {
    enum Instruction: Sendable {
        case scalars(ScalarSet)
        /// The first way is preferred.
        case split(Int, Int)
        case jump(Int)
        case save(Int)
        case assertion(RegexNode.Assertion)
        case match
    }

    struct TooLarge: Error {}
    /// The text and the pattern together ask for too many steps.
    struct TooLong: Error {}

    private(set) var instructions: [Instruction] = []
    /// Two for each group and two for the whole.
    let slots: Int
    private static let largest = 20_000
    static let mostSteps = 20_000_000

    init(_ node: RegexNode, groups: Int) throws(TooLarge) {
        slots = 2 * (groups + 1)
        try emit(.save(0))
        try compile(node)
        try emit(.save(1))
        try emit(.match)
    }

    private mutating func emit(_ instruction: Instruction) throws(TooLarge) {
        guard instructions.count < Self.largest else { throw TooLarge() }
        instructions.append(instruction)
    }

    private mutating func compile(_ node: RegexNode) throws(TooLarge) {
        switch node {
        case .empty: break
        case .scalars(let set): try emit(.scalars(set))
        case .sequence(let nodes): for node in nodes { try compile(node) }
        case .assertion(let assertion): try emit(.assertion(assertion))
        case .group(let inner, let index):
            try emit(.save(2 * index))
            try compile(inner)
            try emit(.save(2 * index + 1))
        case .either(let choices):
            var ends: [Int] = []
            for choice in choices.dropLast() {
                let split = instructions.count
                try emit(.split(split + 1, split + 1))
                try compile(choice)
                ends.append(instructions.count)
                try emit(.jump(0))
                instructions[split] = .split(split + 1, instructions.count)
            }
            if let last = choices.last { try compile(last) }
            for end in ends { instructions[end] = .jump(instructions.count) }
        case .repeat(let inner, let least, let most, let isGreedy):
            for _ in 0..<least { try compile(inner) }
            if let most {
                var splits: [Int] = []
                for _ in least..<max(least, most) {
                    splits.append(instructions.count)
                    try emit(.jump(0))
                    try compile(inner)
                }
                for split in splits { instructions[split] = choice(split + 1, instructions.count, isGreedy) }
            } else {
                let split = instructions.count
                try emit(.jump(0))
                try compile(inner)
                try emit(.jump(split))
                instructions[split] = choice(split + 1, instructions.count, isGreedy)
            }
        }
    }

    private func choice(_ inside: Int, _ outside: Int, _ isGreedy: Bool) -> Instruction {
        isGreedy ? .split(inside, outside) : .split(outside, inside)
    }

    // MARK: Running

    /// Where the leftmost match at or after `start` begins and ends, and its groups; -1 for a group that took no part.
    ///
    /// - Parameter steps: How many are left; all matches of one call share them.
    func firstMatch(
        in text: [Unicode.Scalar], from start: Int, steps: inout Int
    ) throws(TooLong) -> [Int]? {
        var run = Run(program: self, text: text, steps: steps)
        defer { steps = run.steps }
        return try run.match(from: start)
    }

    private struct Run {
        let program: RegexProgram
        let text: [Unicode.Scalar]
        var steps: Int
        /// The last position at which each instruction was reached.
        var reached: [Int]

        struct Thread {
            var instruction: Int
            var slots: [Int]
        }

        init(program: RegexProgram, text: [Unicode.Scalar], steps: Int) {
            self.steps = steps
            self.program = program
            self.text = text
            reached = [Int](repeating: -1, count: program.instructions.count)
        }

        mutating func match(from start: Int) throws(TooLong) -> [Int]? {
            var threads: [Thread] = []
            var best: [Int]?
            var position = start
            while position <= text.count {
                if best == nil {
                    // A match that begins later is less wanted than those under way.
                    try follow(0, [Int](repeating: -1, count: program.slots), position, &threads)
                }
                if threads.isEmpty && best != nil { break }
                var next: [Thread] = []
                for thread in threads {
                    steps -= 1
                    guard steps > 0 else { throw TooLong() }
                    if case .match = program.instructions[thread.instruction] {
                        // Ways of lower rank are given up.
                        best = thread.slots
                        break
                    }
                    if case .scalars(let set) = program.instructions[thread.instruction], position < text.count,
                        set.contains(text[position])
                    {
                        try follow(thread.instruction + 1, thread.slots, position + 1, &next)
                    }
                }
                threads = next
                position += 1
            }
            return best
        }

        /// Adds what can be reached without reading a character, in order of rank.
        private mutating func follow(
            _ instruction: Int, _ slots: [Int], _ position: Int, _ threads: inout [Thread]
        ) throws(TooLong) {
            var pending = [Thread(instruction: instruction, slots: slots)]
            while var thread = pending.popLast() {
                steps -= 1
                guard steps > 0 else { throw TooLong() }
                guard reached[thread.instruction] != position else { continue }
                reached[thread.instruction] = position
                switch program.instructions[thread.instruction] {
                case .jump(let target):
                    thread.instruction = target
                    pending.append(thread)
                case .split(let first, let second):
                    pending.append(Thread(instruction: second, slots: thread.slots))
                    thread.instruction = first
                    pending.append(thread)
                case .save(let slot):
                    thread.slots[slot] = position
                    thread.instruction += 1
                    pending.append(thread)
                case .assertion(let assertion):
                    if holds(assertion, position) {
                        thread.instruction += 1
                        pending.append(thread)
                    }
                case .scalars, .match: threads.append(thread)
                }
            }
        }

        private func holds(_ assertion: RegexNode.Assertion, _ position: Int) -> Bool {
            switch assertion {
            case .textStart: position == 0
            case .textEnd: position == text.count
            case .lineStart: position == 0 || text[position - 1] == "\n"
            case .lineEnd: position == text.count || text[position] == "\n"
            case .wordBoundary: isWord(position - 1) != isWord(position)
            case .noWordBoundary: isWord(position - 1) == isWord(position)
            }
        }

        private func isWord(_ index: Int) -> Bool {
            guard text.indices.contains(index) else { return false }
            let scalar = text[index]
            return scalar == "_" || ("0"..."9").contains(scalar) || ("a"..."z").contains(scalar)
                || ("A"..."Z").contains(scalar)
        }
    }
}
