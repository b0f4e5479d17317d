// The protobuf form of the public Go types: which number stands for which field. Reads
// `apiVersion kind` lines and prints JSON by Go type. Run by derive_protobuf.py within
// hack/controlplane.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
)

// A field is its JSON name (empty: its fields are those of the message around it), its type, and
// "omit" where JSON leaves it out when it is empty, which protobuf does not.
type field [3]string

var (
	messages = map[string]map[string]field{}
	leaves   = map[reflect.Type]string{
		reflect.TypeFor[resource.Quantity]():    "quantity",
		reflect.TypeFor[metav1.Time]():          "time",
		reflect.TypeFor[metav1.MicroTime]():     "micro-time",
		reflect.TypeFor[intstr.IntOrString]():   "int-or-string",
		reflect.TypeFor[runtime.RawExtension](): "raw",
		reflect.TypeFor[metav1.FieldsV1]():      "raw",
	}
)

func main() {
	kinds := map[string]string{}
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
		kinds[lines.Text()] = visit(reflect.TypeOf(object).Elem())
	}
	result := map[string]any{"kinds": kinds, "messages": messages}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// visit records a struct and all that it contains, and returns its name.
func visit(t reflect.Type) string {
	name := strings.TrimPrefix(t.PkgPath(), "k8s.io/") + "." + t.Name()
	if _, seen := messages[name]; seen {
		return name
	}
	fields := map[string]field{}
	messages[name] = fields
	for i := range t.NumField() {
		f := t.Field(i)
		tag := strings.Split(f.Tag.Get("protobuf"), ",")
		if len(tag) > 1 {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			omit := ""
			if strings.Contains(options, "omit") && f.Type.Kind() != reflect.Pointer {
				omit = "omit"
			}
			fields[tag[1]] = field{name, typeOf(f.Type), omit}
		}
	}
	return name
}

func typeOf(t reflect.Type) string {
	if leaf, known := leaves[t]; known {
		return leaf
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeOf(t.Elem())
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int32, reflect.Int64:
		return "int"
	case reflect.Float64:
		return "double"
	case reflect.Map:
		return "map " + typeOf(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		if t.Name() != "" { // a message of its own, with the items as its only field
			return "wrapped " + typeOf(t.Elem())
		}
		return "list " + typeOf(t.Elem())
	case reflect.Struct:
		return "message " + visit(t)
	}
	fail(fmt.Errorf("%s has no known protobuf form", t))
	return ""
}
