package provider

import (
	"context"
	"fmt"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Attributes that exist only in Terraform.
const (
	deletionProtection = "deletion_protection"
	paused             = "paused"
	secretVersion      = "secret_version"
)

// Computed attributes that an update of the resource can change.
var changedByUpdates = map[string]bool{
	"updated_at": true, "hint": true, "rotated_at": true, "has_template_secret": true,
}

type description struct {
	Name        string      `json:"name"`
	Path        string      `json:"path"`
	Description string      `json:"description"`
	Attributes  []attribute `json:"attributes"`
}

type attribute struct {
	Name        string      `json:"name"`
	Type        string      `json:"type"`
	Element     string      `json:"element"`
	Attributes  []attribute `json:"attributes"`
	Description string      `json:"description"`
	Required    bool        `json:"required"`
	Optional    bool        `json:"optional"`
	Computed    bool        `json:"computed"`
	WriteOnly   bool        `json:"writeOnly"`
	Sensitive   bool        `json:"sensitive"`
	Immutable   bool        `json:"immutable"`
	Merges      bool        `json:"merges"`
	NullValue   *int64      `json:"nullValue"`
	Pattern     string      `json:"pattern"`
}

func (a attribute) isSettable() bool { return a.Required || a.Optional }

func (d description) hasSecret() bool {
	for _, attribute := range d.Attributes {
		if attribute.WriteOnly && attribute.Sensitive {
			return true
		}
	}
	return false
}

// terraformSchema returns the schema of a resource.
func (d description) terraformSchema() schema.Schema {
	attributes := toAttributes(d.Attributes)
	if d.Name == "pipeline" {
		attributes[deletionProtection] = schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(true),
			Description: "Whether Terraform refuses to delete and to replace the pipeline. To delete the pipeline, set " +
				"the attribute to false and apply the change first. Default: true.",
		}
		attributes[paused] = schema.BoolAttribute{
			Optional: true, Computed: true,
			PlanModifiers: []planmodifier.Bool{boolplanmodifier.UseStateForUnknown()},
			Description:   "Whether the pipeline is paused.",
		}
	}
	if d.hasSecret() {
		attributes[secretVersion] = schema.StringAttribute{
			Optional: true,
			Description: "Any value. Terraform does not store secrets, and detects a new secret by its last four " +
				"characters. Change this attribute if the new secret has the same last four characters.",
		}
	}
	return schema.Schema{Description: d.Description, Attributes: attributes}
}

func toAttributes(list []attribute) map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{}
	for _, attribute := range list {
		attributes[attribute.Name] = attribute.toAttribute()
	}
	return attributes
}

func (a attribute) toAttribute() schema.Attribute {
	keeps := a.Computed && !changedByUpdates[a.Name]
	switch a.Type {
	case "string", "json":
		result := schema.StringAttribute{
			Required: a.Required, Optional: a.Optional, Computed: a.Computed,
			Sensitive: a.Sensitive, WriteOnly: a.WriteOnly, Description: a.Description,
		}
		if keeps {
			result.PlanModifiers = append(result.PlanModifiers, stringplanmodifier.UseStateForUnknown())
		}
		if a.Immutable {
			result.PlanModifiers = append(result.PlanModifiers, stringplanmodifier.RequiresReplace())
		}
		if a.Pattern != "" {
			result.Validators = []validator.String{pattern{regexp.MustCompile(a.Pattern)}}
		}
		return result
	case "boolean":
		result := schema.BoolAttribute{
			Required: a.Required, Optional: a.Optional, Computed: a.Computed,
			WriteOnly: a.WriteOnly, Description: a.Description,
		}
		if keeps {
			result.PlanModifiers = []planmodifier.Bool{boolplanmodifier.UseStateForUnknown()}
		}
		return result
	case "integer":
		result := schema.Int64Attribute{
			Required: a.Required, Optional: a.Optional, Computed: a.Computed, Description: a.Description,
		}
		if keeps {
			result.PlanModifiers = []planmodifier.Int64{int64planmodifier.UseStateForUnknown()}
		}
		return result
	case "list":
		// The order of the elements has no meaning.
		return schema.SetAttribute{
			ElementType: elementType(a.Element),
			Required:    a.Required, Optional: a.Optional, Computed: a.Computed, Description: a.Description,
		}
	case "object":
		return schema.SingleNestedAttribute{
			Attributes: toAttributes(a.Attributes),
			Required:   a.Required, Optional: a.Optional, Computed: a.Computed, Description: a.Description,
		}
	case "map":
		result := schema.MapNestedAttribute{
			NestedObject: schema.NestedAttributeObject{Attributes: toAttributes(a.Attributes)},
			Required:     a.Required, Optional: a.Optional, Computed: a.Computed, Description: a.Description,
		}
		if keeps {
			result.PlanModifiers = []planmodifier.Map{mapplanmodifier.UseStateForUnknown()}
		}
		return result
	}
	panic(fmt.Sprintf("%s: unknown type %q", a.Name, a.Type))
}

func elementType(name string) attr.Type {
	if name == "integer" {
		return types.Int64Type
	}
	return types.StringType
}

// pattern is a validator of strings.
type pattern struct{ expression *regexp.Regexp }

func (p pattern) Description(context.Context) string {
	return fmt.Sprintf("The value must match %s.", p.expression)
}

func (p pattern) MarkdownDescription(ctx context.Context) string { return p.Description(ctx) }

func (p pattern) ValidateString(ctx context.Context, request validator.StringRequest, response *validator.StringResponse) {
	value := request.ConfigValue
	if value.IsNull() || value.IsUnknown() || p.expression.MatchString(value.ValueString()) {
		return
	}
	response.Diagnostics.AddAttributeError(request.Path, "Invalid value", p.Description(ctx))
}
