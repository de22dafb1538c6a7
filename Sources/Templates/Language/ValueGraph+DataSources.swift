import ComponentModel
import Diagnostics
import GoTemplates
import HCL

extension ValueGraph {
    /// Reads the options of a data source. Unless it has to be run, its value is set.
    mutating func prepare(_ key: String) -> DataSourceRequest? {
        guard let source = configuration.dataSources[key] else { return nil }
        data[key] = .unknown
        let label = source.block.labels[0]
        switch components.resolve(source.type, KnownComponents.dataSources) {
        case .unknown(let hint):
            diagnostics.append(
                Diagnostic(
                    id: "template/unknown-type", summary: "There is no data source type “\(source.type)”", detail: hint,
                    subject: label.range))
        case .known:
            // In a build the place that needs it is an error.
            guard options.isValidation, mode != .runTolerantly else { break }
            diagnostics.append(
                Diagnostic(
                    id: "template/not-built-in", severity: .warning,
                    summary: "The data source \"\(source.type)\" is known, but not built into Ingot yet",
                    detail: "A build stops where data.\(key) is used. Give the value by a variable instead.",
                    subject: label.range))
        case .builtIn(let type, let specs):
            data[key] = .object(
                Dictionary(uniqueKeysWithValues: DataSourceDecoder.outputs(of: type).map { ($0, .unknown) }))
            return request(of: source, key, type, specs)
        }
        return nil
    }

    private mutating func request(
        of source: Configuration.DataSource, _ key: String, _ type: String, _ specs: [Option]
    ) -> DataSourceRequest? {
        var evaluator = BodyEvaluator(environment: environment, localNames: Set(configuration.locals.keys))
        let header = source.block.headerRange
        let body = evaluator.options(
            ExpandedBlock(
                type: source.block.type, typeRange: source.block.typeRange, labels: [], body: source.block.body,
                header: header, scope: scope))
        var reader = OptionReader(
            body, specs, component: "data \"\(source.type)\"",
            context: TemplateContext(workingDirectory: options.workingDirectory, startTime: options.startTime))
        let step = DataSourceDecoder.decode(type, &reader)
        let problems = evaluator.diagnostics + reader.diagnostics
        diagnostics += problems
        guard mode != .unknown, !problems.hasErrors, let step else { return nil }
        if mode == .run, diagnostics.hasErrors { return nil }
        if let place = body.unknowns.first {
            diagnostics.append(
                Diagnostic(
                    id: "template/unknown-value", summary: "This value is not known here",
                    detail: "The data source cannot run without it.", subject: place))
            return nil
        }
        switch step {
        case .request(let request):
            data[key] = nil
            return request
        case .answer(let answer):
            accept(answer, key, type, source)
            return nil
        }
    }

    private var scope: Scope {
        var scope = base
        scope.roots["local"] = .object(locals)
        scope.roots["data"] = dataValue
        return scope
    }

    /// Takes what came of the request that `next` returned.
    mutating func supply(_ result: Result<DataSourceAnswer, any Error>) {
        guard let source = running else { return }
        let key = "\(source.type).\(source.name)"
        let type = components.canonical(source.type, KnownComponents.dataSources)
        switch result {
        case .success(let answer): accept(answer, key, type, source)
        case .failure(let error):
            data[key] = .unknown
            diagnostics.append(.failure(of: key, error, at: source.block.headerRange))
        }
    }

    private mutating func accept(
        _ answer: DataSourceAnswer, _ key: String, _ type: String, _ source: Configuration.DataSource
    ) {
        var outputs = answer.outputs
        if source.block.body.references.contains(where: isSensitive) {
            for name in DataSourceDecoder.derivedOutputs(of: type) {
                guard let value = outputs[name] else { continue }
                secrets.insert(value)
                outputs[name] = value.protected(true)
            }
        }
        data[key] = .object(outputs)
        for warning in answer.warnings {
            diagnostics.append(
                Diagnostic(
                    id: "template/data-source", severity: .warning, summary: "data.\(key): \(warning)",
                    subject: source.block.headerRange))
        }
    }

    /// Whether there is a secret in what is referred to.
    private func isSensitive(_ reference: Reference) -> Bool {
        guard marksSensitive, let root = reference.path.first, var value = scope.roots[root] else { return false }
        for name in reference.path.dropFirst() {
            if value.isSensitive { return true }
            guard let member = value.attributes?[name] else { break }
            value = member
        }
        return value.containsSensitive
    }
}
