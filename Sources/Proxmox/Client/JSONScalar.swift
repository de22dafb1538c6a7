/// A value that the API gives now as a number, now as text, now as a boolean.
struct JSONScalar: Decodable, Sendable, Equatable {
    let text: String

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // One of them fits, or the last one's error is thrown; a number is tried before text for its exact form.
        if container.decodeNil() {
            text = ""
        } else if let number = try? container.decode(Int64.self) {
            text = String(number)
        } else if let flag = try? container.decode(Bool.self) {
            text = flag ? "1" : "0"
        } else if let number = try? container.decode(Double.self) {
            text = String(number)
        } else {
            text = try container.decode(String.self)
        }
    }

    var integer: Int64? { Int64(text) ?? Double(text).flatMap { Int64(exactly: $0.rounded()) } }
    var isTrue: Bool { integer.map { $0 != 0 } ?? (text == "true") }
}

/// What every answer is wrapped in.
struct AnswerHead: Decodable {
    var success: JSONScalar?
    var status: JSONScalar?
    var message: JSONScalar?
    var errors: [String: JSONScalar]?
}

struct AnswerBody<Value: Decodable>: Decodable {
    var data: Value
}
