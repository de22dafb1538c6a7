import Testing

@testable import RemoteFramebuffer
