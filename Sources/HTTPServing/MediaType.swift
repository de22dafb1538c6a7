/// The media type of a file, by its suffix, or else by whether its beginning looks like text.
///
/// - Parameter beginning: Returns the first bytes; called only if the suffix is not known.
func mediaType(_ name: String, beginning: () -> ArraySlice<UInt8>) -> String {
    let types = [
        "html": "text/html; charset=utf-8", "htm": "text/html; charset=utf-8", "json": "application/json",
        "xml": "text/xml; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
        "png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf", "gz": "application/gzip",
        "iso": "application/octet-stream", "zip": "application/zip",
    ]
    let ending = name.split(separator: "/").last?.split(separator: ".").dropFirst().last.map(String.init) ?? ""
    if let type = types[ending.lowercased()] { return type }
    // Binary data bytes according to the MIME Sniffing standard, section 3.
    let isBinary = beginning().contains { byte in
        byte <= 0x08 || byte == 0x0B || (0x0E...0x1A).contains(byte) || (0x1C...0x1F).contains(byte)
    }
    return isBinary ? "application/octet-stream" : "text/plain; charset=utf-8"
}
