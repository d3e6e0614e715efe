package provider

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// toJSON converts the settable attributes of a value to the fields of a request. Unknown values are
// omitted.
func toJSON(list []attribute, value tftypes.Value) (map[string]any, error) {
	var fields map[string]tftypes.Value
	if err := value.As(&fields); err != nil {
		return nil, err
	}
	result := map[string]any{}
	for _, attribute := range list {
		field, exists := fields[attribute.Name]
		if !attribute.isSettable() || !exists || !field.IsFullyKnown() && !isNested(attribute) || !field.IsKnown() {
			continue
		}
		converted, err := attribute.toJSON(field)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", attribute.Name, err)
		}
		result[attribute.Name] = converted
	}
	return result, nil
}

func isNested(a attribute) bool { return a.Type == "object" || a.Type == "map" }

func (a attribute) toJSON(value tftypes.Value) (any, error) {
	if value.IsNull() {
		return nil, nil
	}
	return a.convert(value)
}

// convert converts a value that is not null.
func (a attribute) convert(value tftypes.Value) (any, error) {
	switch a.Type {
	case "string":
		var text string
		err := value.As(&text)
		return text, err
	case "json":
		var text string
		if err := value.As(&text); err != nil {
			return nil, err
		}
		var content any
		if err := json.Unmarshal([]byte(text), &content); err != nil {
			return nil, fmt.Errorf("the value is not JSON, use jsonencode(…): %w", err)
		}
		return content, nil
	case "boolean":
		var boolean bool
		err := value.As(&boolean)
		return boolean, err
	case "integer":
		var number big.Float
		if err := value.As(&number); err != nil {
			return nil, err
		}
		integer, _ := number.Int64()
		if a.NullValue != nil && integer == *a.NullValue {
			return nil, nil
		}
		return integer, nil
	case "list":
		var elements []tftypes.Value
		if err := value.As(&elements); err != nil {
			return nil, err
		}
		list := []any{}
		for _, element := range elements {
			converted, err := attribute{Type: a.Element}.convert(element)
			if err != nil {
				return nil, err
			}
			list = append(list, converted)
		}
		// The elements of a set have no order.
		slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		return list, nil
	case "map":
		var elements map[string]tftypes.Value
		if err := value.As(&elements); err != nil {
			return nil, err
		}
		result := map[string]any{}
		for key, element := range elements {
			object, err := a.toObject(element)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			result[key] = object
		}
		return result, nil
	}
	return a.toObject(value)
}

// toObject converts an object. Null means that the configuration omits a field, except in objects
// that an update merges.
func (a attribute) toObject(value tftypes.Value) (any, error) {
	object, err := toJSON(a.Attributes, value)
	if err != nil || a.Merges {
		return object, err
	}
	return withoutNulls(object), nil
}

func withoutNulls(object map[string]any) map[string]any {
	result := map[string]any{}
	for name, value := range object {
		if value != nil {
			result[name] = value
		}
	}
	return result
}

// changedFields returns the fields of the plan that differ from the state: an update sends only
// these fields.
func changedFields(list []attribute, state, plan map[string]any) map[string]any {
	changed := map[string]any{}
	for _, attribute := range list {
		after, exists := plan[attribute.Name]
		before := state[attribute.Name]
		if !exists || attribute.WriteOnly || reflect.DeepEqual(before, after) {
			continue
		}
		oldObject, _ := before.(map[string]any)
		newObject, _ := after.(map[string]any)
		if attribute.Merges && oldObject != nil && newObject != nil {
			changed[attribute.Name] = changedFields(attribute.Attributes, oldObject, newObject)
			continue
		}
		changed[attribute.Name] = after
	}
	return changed
}

// fromJSON converts a response to a value of the given type.
//   - Attributes that responses do not contain keep their values in `prior`.
//   - JSON that has the same content as in `prior` keeps its formatting.
func fromJSON(list []attribute, kind tftypes.Type, response map[string]any, prior tftypes.Value) (tftypes.Value, error) {
	object, isObject := kind.(tftypes.Object)
	if !isObject {
		return tftypes.Value{}, fmt.Errorf("%s is not an object", kind)
	}
	var priorFields map[string]tftypes.Value
	if prior.IsKnown() && !prior.IsNull() {
		if err := prior.As(&priorFields); err != nil {
			return tftypes.Value{}, err
		}
	}
	fields := map[string]tftypes.Value{}
	for name, fieldType := range object.AttributeTypes {
		fields[name] = tftypes.NewValue(fieldType, nil)
		if before, exists := priorFields[name]; exists && before.IsFullyKnown() {
			fields[name] = before
		}
	}
	for _, attribute := range list {
		content, exists := response[attribute.Name]
		if attribute.WriteOnly {
			fields[attribute.Name] = tftypes.NewValue(object.AttributeTypes[attribute.Name], nil)
			continue
		}
		// A secret that is returned only once keeps its value, and so do fields of nested objects.
		if !exists && attribute.Sensitive {
			continue
		}
		before := priorFields[attribute.Name]
		value, err := attribute.fromJSON(object.AttributeTypes[attribute.Name], content, before)
		if err != nil {
			return tftypes.Value{}, fmt.Errorf("%s: %w", attribute.Name, err)
		}
		fields[attribute.Name] = value
	}
	return tftypes.NewValue(object, fields), nil
}

func (a attribute) fromJSON(kind tftypes.Type, content any, prior tftypes.Value) (tftypes.Value, error) {
	if content == nil {
		if a.NullValue != nil {
			return tftypes.NewValue(kind, big.NewFloat(float64(*a.NullValue))), nil
		}
		return tftypes.NewValue(kind, nil), nil
	}
	switch a.Type {
	case "json":
		return a.fromJSONText(kind, content, prior)
	case "integer":
		number, isNumber := content.(json.Number)
		if !isNumber {
			return tftypes.Value{}, fmt.Errorf("%v is not a number", content)
		}
		float, _, err := big.ParseFloat(number.String(), 10, 512, big.ToNearestEven)
		return tftypes.NewValue(kind, float), err
	case "list":
		list, isList := content.([]any)
		set, isSet := kind.(tftypes.Set)
		if !isList || !isSet {
			return tftypes.Value{}, fmt.Errorf("%v is not a list", content)
		}
		elements := []tftypes.Value{}
		for _, item := range list {
			element, err := attribute{Type: a.Element}.fromJSON(set.ElementType, item, tftypes.Value{})
			if err != nil {
				return tftypes.Value{}, err
			}
			elements = append(elements, element)
		}
		return tftypes.NewValue(kind, elements), nil
	case "object":
		object, isObject := content.(map[string]any)
		if !isObject {
			return tftypes.Value{}, fmt.Errorf("%v is not an object", content)
		}
		return fromJSON(a.Attributes, kind, object, prior)
	case "map":
		object, isObject := content.(map[string]any)
		mapType, isMap := kind.(tftypes.Map)
		if !isObject || !isMap {
			return tftypes.Value{}, fmt.Errorf("%v is not a map", content)
		}
		elements := map[string]tftypes.Value{}
		for key, item := range object {
			fields, _ := item.(map[string]any)
			element, err := fromJSON(a.Attributes, mapType.ElementType, fields, tftypes.Value{})
			if err != nil {
				return tftypes.Value{}, fmt.Errorf("%s: %w", key, err)
			}
			elements[key] = element
		}
		return tftypes.NewValue(kind, elements), nil
	}
	return tftypes.NewValue(kind, content), tftypes.ValidateValue(kind, content)
}

func (a attribute) fromJSONText(kind tftypes.Type, content any, prior tftypes.Value) (tftypes.Value, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return tftypes.Value{}, err
	}
	if prior.Type() != nil && prior.IsKnown() && !prior.IsNull() {
		var priorText string
		var before, after any
		if err := prior.As(&priorText); err != nil {
			return tftypes.Value{}, err
		}
		if json.Unmarshal([]byte(priorText), &before) == nil && json.Unmarshal(text, &after) == nil &&
			reflect.DeepEqual(before, after) {
			return prior, nil
		}
	}
	return tftypes.NewValue(kind, string(text)), nil
}
