// Package provider implements the Terraform provider. Its resources are described by schema.json,
// which is generated from the OpenAPI document of the API.
package provider

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

//go:embed schema.json
var schemaFile []byte

type freshet struct {
	version   string
	resources []description
}

// New returns a function that creates the provider.
func New(version string) func() provider.Provider {
	return func() provider.Provider {
		var file struct {
			Resources []description `json:"resources"`
		}
		if err := json.Unmarshal(schemaFile, &file); err != nil {
			panic(fmt.Sprintf("schema.json: %v", err))
		}
		return &freshet{version: version, resources: file.Resources}
	}
}

func (p *freshet) Metadata(_ context.Context, _ provider.MetadataRequest, response *provider.MetadataResponse) {
	response.TypeName = "freshet"
	response.Version = p.version
}

func (p *freshet) Schema(_ context.Context, _ provider.SchemaRequest, response *provider.SchemaResponse) {
	response.Schema = schema.Schema{
		Description: "Manages a Freshet deployment, which replicates Freshdesk accounts into PostgreSQL warehouses.",
		Attributes: map[string]schema.Attribute{
			"url": schema.StringAttribute{
				Optional:    true,
				Description: "The URL of the API. Default: the environment variable FRESHET_URL.",
			},
			"token": schema.StringAttribute{
				Optional:    true,
				Sensitive:   true,
				Description: "A token with the role team_admin. Default: the environment variable FRESHET_TOKEN.",
			},
		},
	}
}

func (p *freshet) Configure(ctx context.Context, request provider.ConfigureRequest, response *provider.ConfigureResponse) {
	setting := func(name, variable string) string {
		var value types.String
		response.Diagnostics.Append(request.Config.GetAttribute(ctx, path.Root(name), &value)...)
		if value.IsUnknown() {
			response.Diagnostics.AddAttributeError(path.Root(name), name+" is unknown",
				"The provider needs this value for the plan. Set it, or apply the resource that creates it first.")
			return ""
		}
		if value.ValueString() != "" {
			return value.ValueString()
		}
		if os.Getenv(variable) == "" {
			response.Diagnostics.AddAttributeError(path.Root(name), name+" is missing",
				fmt.Sprintf("Set the attribute %s of the provider, or the environment variable %s.", name, variable))
		}
		return os.Getenv(variable)
	}
	address, token := setting("url", "FRESHET_URL"), setting("token", "FRESHET_TOKEN")
	if response.Diagnostics.HasError() {
		return
	}
	base, err := url.Parse(address)
	if err != nil || base.Host == "" {
		response.Diagnostics.AddAttributeError(path.Root("url"), "url is invalid",
			fmt.Sprintf("%q is not a URL such as https://freshet.example.com.", address))
		return
	}
	response.ResourceData = newClient(base, token, p.version)
}

func (p *freshet) Resources(context.Context) []func() resource.Resource {
	var constructors []func() resource.Resource
	for _, description := range p.resources {
		constructors = append(constructors, func() resource.Resource { return &apiResource{description: description} })
	}
	return constructors
}

func (p *freshet) DataSources(context.Context) []func() datasource.DataSource { return nil }
