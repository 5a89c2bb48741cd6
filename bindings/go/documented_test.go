package criwatch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
	"testing"
)

// Every exported name has a comment, including fields of structs and constants of groups. Those of functions and types
// begin with the name.
func TestEveryExportedNameIsDocumented(t *testing.T) {
	files := token.NewFileSet()
	isSource := func(info fs.FileInfo) bool { return !strings.HasSuffix(info.Name(), "_test.go") }
	count := 0
	check := func(name *ast.Ident, comment *ast.CommentGroup, begins bool) {
		if !name.IsExported() {
			return
		}
		count++
		text := comment.Text()
		if text == "" || begins && !strings.HasPrefix(text, name.Name) {
			t.Errorf("%v: %s has no comment that begins with its name: %q", files.Position(name.Pos()), name.Name, text)
		}
	}
	for folder, least := range map[string]int{".": 200, "criwatchtest": 30} {
		packages, err := parser.ParseDir(files, folder, isSource, parser.ParseComments)
		must(t, err)
		count = 0
		for _, parsed := range packages {
			for _, file := range parsed.Files {
				checkFile(file, check)
			}
		}
		if count < least {
			t.Errorf("only %d exported names were found in %s: is this the package's folder?", count, folder)
		}
	}
}

func checkFile(file *ast.File, check func(*ast.Ident, *ast.CommentGroup, bool)) {
	for _, declaration := range file.Decls {
		switch declaration := declaration.(type) {
		case *ast.FuncDecl:
			if !isMethodOfHidden(declaration) {
				check(declaration.Name, declaration.Doc, true)
			}
		case *ast.GenDecl:
			for _, spec := range declaration.Specs {
				checkSpec(declaration, spec, check)
			}
		}
	}
}

func checkSpec(group *ast.GenDecl, spec ast.Spec, check func(*ast.Ident, *ast.CommentGroup, bool)) {
	// The comment of a declaration without parentheses is that of the whole declaration.
	of := func(own *ast.CommentGroup) *ast.CommentGroup {
		if own == nil && !group.Lparen.IsValid() {
			return group.Doc
		}
		return own
	}
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			check(name, of(spec.Doc), true)
		}
	case *ast.TypeSpec:
		check(spec.Name, of(spec.Doc), true)
		if fields, is := spec.Type.(*ast.StructType); is && spec.Name.IsExported() {
			for _, field := range fields.Fields.List {
				for _, name := range field.Names {
					check(name, field.Doc, true)
				}
			}
		}
	}
}

func isMethodOfHidden(function *ast.FuncDecl) bool {
	if function.Recv == nil {
		return false
	}
	receiver := function.Recv.List[0].Type
	if pointer, is := receiver.(*ast.StarExpr); is {
		receiver = pointer.X
	}
	if generic, is := receiver.(*ast.IndexExpr); is {
		receiver = generic.X
	}
	name, is := receiver.(*ast.Ident)
	return is && !name.IsExported()
}
