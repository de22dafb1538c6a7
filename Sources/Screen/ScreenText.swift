package import RemoteFramebuffer

/// The text that a screen shows, line by line.
package struct ScreenText: Sendable, Equatable {
    package var lines: [String]
}

/// Reads the text of a text screen; nil where there is none that can be read.
package func textOnScreen(_ framebuffer: Framebuffer) -> ScreenText? {
    nil
}
