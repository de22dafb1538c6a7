import Foundation
import Hummingbird

/// Content that can be sent whole or in part (RFC 9110, sections 13 and 14).
struct ServedRepresentation {
    /// The length in bytes.
    var size: Int
    /// When it was last modified, in seconds since 1970; nil if unknown.
    var modified: Int?
    var type: String

    /// The response: the whole content, the requested range, or “not modified”.
    ///
    /// - Parameter body: Makes the body for a range of bytes.
    func answer(to request: Request, _ body: (Range<Int>) -> ResponseBody) -> Answer {
        var answer = Answer(.ok, type: type)
        if let modified { answer.headers[.lastModified] = HTTPDate.text(modified) }
        if isUnchanged(for: request) {
            answer.status = .notModified
            answer.headers[.contentType] = nil
            return answer
        }
        answer.headers[.acceptRanges] = "bytes"
        var range = 0..<size
        if size > 0, mayBePartial(request), let header = request.headers[.range], let asked = byteRange(header) {
            guard !asked.isEmpty else {
                var refused = Answer(.rangeNotSatisfiable)
                refused.headers[.contentRange] = "bytes */\(size)"
                return refused
            }
            range = asked
            answer.status = .partialContent
            answer.headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
        }
        answer.body = body(range)
        answer.bytes = range.count
        return answer
    }

    private func isUnchanged(for request: Request) -> Bool {
        // There are no entity tags here, so only `*` can match; a tag takes precedence over a date.
        if let tags = request.headers[.ifNoneMatch] { return tags == "*" }
        guard let modified, let since = request.headers[.ifModifiedSince].flatMap(HTTPDate.seconds) else {
            return false
        }
        return modified <= since
    }

    /// A range is useful only to a client that has the rest of the same version.
    private func mayBePartial(_ request: Request) -> Bool {
        guard let version = request.headers[.ifRange] else { return true }
        return modified != nil && HTTPDate.seconds(version) == modified
    }

    /// Parses `bytes=A-B`, `bytes=A-` and `bytes=-N`; nil if it is not exactly one range, empty if it is out of bounds.
    private func byteRange(_ header: String) -> Range<Int>? {
        guard header.hasPrefix("bytes="), !header.contains(",") else { return nil }
        let parts = header.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return nil
        }
        if parts[0].isEmpty {
            guard let count = Int(parts[1]) else { return nil }
            return max(0, size - count)..<size
        }
        guard let start = Int(parts[0]) else { return nil }
        guard start < size else { return 0..<0 }
        if parts[1].isEmpty { return start..<size }
        guard let end = Int(parts[1]), end >= start else { return nil }
        return start..<min(size - 1, end) + 1
    }
}

/// Dates in HTTP, in whole seconds (RFC 9110, section 5.6.7).
enum HTTPDate {
    static func text(_ seconds: Int) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return String(decoding: text.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Parses a date into seconds since 1970; nil if it has another form.
    static func seconds(_ text: String) -> Int? {
        let form = /[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT/
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard let (_, day, name, year, hour, minute, second) = text.wholeMatch(of: form)?.output,
            let month = months.firstIndex(of: String(name)), let day = Int32(day), let year = Int32(year),
            let hour = Int32(hour), let minute = Int32(minute), let second = Int32(second)
        else { return nil }
        var parts = tm()
        (parts.tm_mday, parts.tm_mon, parts.tm_year) = (day, Int32(month), year - 1900)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
        return timegm(&parts)
    }
}
