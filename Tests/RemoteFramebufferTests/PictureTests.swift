import Foundation
import RemoteFramebuffer
import Scopes
import Testing

@Suite("Pictures of a VNC server")
struct PictureTests {
    @Test("rectangles are put in their places, between messages of other kinds and however cut")
    func rectangles() async throws {
        let honest = HonestServer(width: 4, height: 3)
        let bell: [UInt8] = [2]
        let colours: [UInt8] = [1, 0, 0, 0, 0, 2] + [UInt8](repeating: 9, count: 12)
        let clipboard: [UInt8] = [3, 0, 0, 0] + bytes32(5) + Array("hello".utf8)
        let picture =
            bell + colours + clipboard
            + update(
                (0, 0, 4, 3, 0, raw(Array(repeating: 0xFF0000, count: 12))),
                (1, 1, 2, 1, 0, raw([0x00FF00, 0x0000FF])),
                (3, 2, 1, 1, 0, raw([0xFFFFFF])), (0, 0, 0, 3, 0, []))
        let server = VNCServer { peer in
            try honest.greet(peer)
            for pieces in [[picture], picture.map { [$0] }] {
                let request = try honest.request(peer)
                guard !request.incremental, request.width == 4, request.height == 3 else {
                    throw HonestServer.Mismatch(text: "\(request)")
                }
                for piece in pieces { try peer.write(piece) }
            }
            peer.readToEnd()
        }
        let connection = try await server.connect()
        for _ in 0..<2 {
            let red: UInt32 = 0xFF0000
            let expected = [red, red, red, red, red, 0x00FF00, 0x0000FF, red, red, red, red, 0xFFFFFF]
            #expect(try await connection.framebuffer().pixels == expected)
        }
        connection.close()
        try await server.finish()
    }

    @Test("a screen that changes its size while it is asked for is given in its new size, with what it shows")
    func resize() async throws {
        let honest = HonestServer(width: 4, height: 4)
        let server = VNCServer { peer in
            try honest.greet(peer)
            _ = try honest.request(peer)
            try peer.write(update((0, 0, 2, 2, -223, [])))
            let again = try honest.request(peer)
            guard !again.incremental, again.width == 2 else { throw HonestServer.Mismatch(text: "\(again)") }
            try peer.write(update((0, 0, 2, 2, 0, raw([1, 2, 3, 4]))))
            peer.readToEnd()
        }
        let connection = try await server.connect()
        let picture = try await connection.framebuffer()
        #expect(picture.width == 2 && picture.height == 2 && picture.pixels == [1, 2, 3, 4])
        connection.close()
        try await server.finish()
    }

    @Test("a change is reported when it comes, and its absence at the limit")
    func changes() async throws {
        let honest = HonestServer(width: 1, height: 1)
        let server = VNCServer { peer in
            try honest.greet(peer)
            guard try honest.request(peer).incremental else { throw HonestServer.Mismatch(text: "not incremental") }
            try peer.write(update((0, 0, 1, 1, 0, raw([7]))))
            peer.readToEnd()
        }
        let connection = try await server.connect()
        try await connection.requestChanges()
        #expect(try await connection.waitForUpdate(after: 0, limit: .seconds(10)))
        #expect(await connection.picture.pixels == [7])
        #expect(try await connection.waitForUpdate(after: 1, limit: .milliseconds(20)) == false)
        connection.close()
        try await server.finish()
    }

    @Test("a picture becomes a PNG that a reader of PNGs accepts")
    func png() {
        var picture = Framebuffer(width: 2, height: 1)
        picture[1, 0] = 0x10_2030
        let data = picture.pngData()
        #expect(data.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        #expect(data.suffix(8) == Data([0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]))
    }

    @Test("the block cipher gives the value of the standard's example")
    func cipher() {
        let key: [UInt8] = [0x13, 0x34, 0x57, 0x79, 0x9B, 0xBC, 0xDF, 0xF1]
        let text: [UInt8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF]
        #expect(desEncrypt(text, key: key) == [0x85, 0xE8, 0x13, 0x54, 0x0F, 0x0A, 0xB4, 0x05])
    }
}
