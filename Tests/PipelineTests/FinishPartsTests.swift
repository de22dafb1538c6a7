import ComponentModel
import GuestFiles
import Templates
import Testing

@Suite("Finishing")
struct FinishPartsTests {
    @Test("the names that keep takes are the parts that generalising has")
    func parts() {
        #expect(
            FinishSettings.Part.allCases.map(\.rawValue) == Generalisation.Part.allCases.map(\.rawValue))
    }
}
