/// Which clusters of a disk were seen, in little memory whatever an archive claims.
///
/// Archives are nearly in order, so nearly all that was seen is one run from the disk's start; beyond it there are maps
/// of 4096 clusters, of which there can be only so many.
struct ClusterSet {
    /// What all the disks of an archive may have together; a map is 512 bytes.
    static let mostMaps = 131_072
    private static let mapClusters: UInt64 = 4096

    private struct Map {
        var words = [UInt64](repeating: 0, count: 64)
        var count: UInt64 = 0
    }

    let clusters: UInt64
    /// All before it were seen.
    private(set) var firstMissing: UInt64 = 0
    private var maps: [UInt64: Map] = [:]

    init(clusters: UInt64) { self.clusters = clusters }

    var isComplete: Bool { firstMissing == clusters }

    enum Outcome { case added, known, outside, tooScattered }

    /// - Parameter spareMaps: How many maps may still be made.
    mutating func insert(_ cluster: UInt64, spareMaps: inout Int) -> Outcome {
        guard cluster < clusters else { return .outside }
        guard cluster >= firstMissing else { return .known }
        if cluster == firstMissing, maps.isEmpty {
            firstMissing += 1
            return .added
        }
        let index = cluster / Self.mapClusters
        let (word, bit) = (Int(cluster % Self.mapClusters / 64), UInt64(1) << (cluster % 64))
        if maps[index] == nil {
            guard spareMaps > 0 else { return .tooScattered }
            spareMaps -= 1
        }
        guard maps[index, default: Map()].words[word] & bit == 0 else { return .known }
        maps[index, default: Map()].words[word] |= bit
        maps[index, default: Map()].count += 1
        if cluster == firstMissing { spareMaps += advance() }
        return .added
    }

    /// Moves the run's end over what is in the maps, and gives how many of them are no longer needed.
    private mutating func advance() -> Int {
        var freed = 0
        while let map = maps[firstMissing / Self.mapClusters] {
            let index = firstMissing / Self.mapClusters
            let end = min((index + 1) * Self.mapClusters, clusters)
            while firstMissing < end,
                map.words[Int(firstMissing % Self.mapClusters / 64)] >> (firstMissing % 64) & 1 == 1
            { firstMissing += 1 }
            guard firstMissing == end else { break }
            maps[index] = nil
            freed += 1
        }
        return freed
    }
}
