module github.com/criwatch/criwatch/bindings/go

go 1.21
