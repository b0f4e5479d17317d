// What the OpenAPI documents leave out about the wire form of the public Go types: which fields are
// left out when they are empty, and what error messages call their types. Reads `apiVersion kind`
// lines and prints JSON by OpenAPI model name. Run by derive_schema.py within hack/controlplane.
package main

import (
	"bufio"
	"encoding"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

type field struct {
	Go       string `json:"go"`
	Nilable  bool   `json:"nilable"`
	Omit     string `json:"omit"`
	Embedded string `json:"embedded"`
}

type model interface{ OpenAPIModelName() string }

var (
	found           = map[string]map[string]field{}
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	modelType       = reflect.TypeFor[model]()
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		version, err := schema.ParseGroupVersion(words[0])
		if err != nil {
			fail(err)
		}
		object, err := scheme.Scheme.New(version.WithKind(words[1]))
		if err != nil {
			fail(err)
		}
		visit(reflect.TypeOf(object))
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// visit records a struct and every struct below it, except those that write their own JSON.
func visit(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		visit(t.Elem())
		return
	case reflect.Struct:
	default:
		return
	}
	pointer := reflect.PointerTo(t)
	if pointer.Implements(jsonUnmarshaler) || pointer.Implements(textUnmarshaler) {
		return
	}
	if !pointer.Implements(modelType) {
		fail(fmt.Errorf("%s has no OpenAPI name", t))
	}
	name := reflect.New(t).Interface().(model).OpenAPIModelName()
	if _, seen := found[name]; seen {
		return
	}
	found[name] = map[string]field{}
	collect(t, "", found[name])
}

func collect(t reflect.Type, embedded string, into map[string]field) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := strings.Split(f.Tag.Get("json"), ",")
		if f.Anonymous && tag[0] == "" {
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			collect(inner, embedded+f.Name+".", into)
			continue
		}
		if !f.IsExported() || tag[0] == "-" {
			continue
		}
		omit := ""
		for _, option := range tag[1:] {
			if option == "omitempty" && omit == "" || option == "omitzero" {
				omit = strings.TrimPrefix(option, "omit")
			}
		}
		kind := f.Type.Kind()
		nilable := kind == reflect.Pointer || kind == reflect.Interface
		into[tag[0]] = field{f.Type.String(), nilable, omit, embedded}
		visit(f.Type)
	}
}
