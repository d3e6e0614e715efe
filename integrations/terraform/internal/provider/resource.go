package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The number of characters of a secret that the API returns as `hint`.
const hintLength = 4

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// apiResource is a resource of the API.
type apiResource struct {
	description description
	client      *client
}

var (
	_ resource.ResourceWithConfigure   = &apiResource{}
	_ resource.ResourceWithImportState = &apiResource{}
	_ resource.ResourceWithModifyPlan  = &apiResource{}
)

func (r *apiResource) Metadata(_ context.Context, request resource.MetadataRequest, response *resource.MetadataResponse) {
	response.TypeName = request.ProviderTypeName + "_" + r.description.Name
}

func (r *apiResource) Schema(_ context.Context, _ resource.SchemaRequest, response *resource.SchemaResponse) {
	response.Schema = r.description.terraformSchema()
}

func (r *apiResource) Configure(_ context.Context, request resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.client, _ = request.ProviderData.(*client)
}

func (r *apiResource) Create(ctx context.Context, request resource.CreateRequest, response *resource.CreateResponse) {
	body, err := toJSON(r.description.Attributes, request.Plan.Raw)
	if err != nil {
		response.Diagnostics.AddError("Invalid configuration", err.Error())
		return
	}
	body = withoutNulls(body)
	addSecrets(r.writeOnly(request.Config.Raw, &response.Diagnostics), body)
	created, err := r.client.call(ctx, http.MethodPost, r.description.Path, body)
	if err != nil {
		addError(&response.Diagnostics, "create", r.description.Name, err)
		return
	}
	created[paused] = false
	if isTrue(request.Plan.Raw, paused) {
		created = r.setPaused(ctx, created, true, &response.Diagnostics)
	}
	r.store(ctx, created, request.Plan.Raw, &response.State, &response.Diagnostics)
}

func (r *apiResource) Read(ctx context.Context, request resource.ReadRequest, response *resource.ReadResponse) {
	found, err := r.client.call(ctx, http.MethodGet, r.address(request.State.Raw), nil)
	if isMissing(err) {
		response.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		addError(&response.Diagnostics, "read", r.description.Name, err)
		return
	}
	found[paused] = found["status"] == "paused"
	r.store(ctx, found, request.State.Raw, &response.State, &response.Diagnostics)
}

// Update sends only the fields that differ from the state, so it does not overwrite changes that
// others made to other fields in the meantime.
func (r *apiResource) Update(ctx context.Context, request resource.UpdateRequest, response *resource.UpdateResponse) {
	plan, planErr := toJSON(r.description.Attributes, request.Plan.Raw)
	state, stateErr := toJSON(r.description.Attributes, request.State.Raw)
	if err := errors.Join(planErr, stateErr); err != nil {
		response.Diagnostics.AddError("Invalid configuration", err.Error())
		return
	}
	body := changedFields(r.description.Attributes, state, plan)
	if r.hasNewSecret(request.Config.Raw, request.State.Raw, &response.Diagnostics) {
		addSecrets(r.writeOnly(request.Config.Raw, &response.Diagnostics), body)
	}
	method, content := http.MethodPatch, any(body)
	if len(body) == 0 {
		method, content = http.MethodGet, nil
	}
	updated, err := r.client.call(ctx, method, r.address(request.State.Raw), content)
	if err != nil {
		addError(&response.Diagnostics, "update", r.description.Name, err)
		return
	}
	updated[paused] = updated["status"] == "paused"
	if wanted := isTrue(request.Plan.Raw, paused); wanted != updated[paused] && r.description.Name == "pipeline" {
		updated = r.setPaused(ctx, updated, wanted, &response.Diagnostics)
	}
	r.store(ctx, updated, request.Plan.Raw, &response.State, &response.Diagnostics)
}

func (r *apiResource) Delete(ctx context.Context, request resource.DeleteRequest, response *resource.DeleteResponse) {
	if isTrue(request.State.Raw, deletionProtection) {
		r.refuseDeletion(request.State.Raw, &response.Diagnostics)
		return
	}
	_, err := r.client.call(ctx, http.MethodDelete, r.address(request.State.Raw), nil)
	if err != nil && !isMissing(err) {
		addError(&response.Diagnostics, "delete", r.description.Name, err)
	}
}

// ImportState accepts the id or the name of the resource.
func (r *apiResource) ImportState(ctx context.Context, request resource.ImportStateRequest, response *resource.ImportStateResponse) {
	id := request.ID
	if !uuid.MatchString(id) {
		found, err := r.client.call(ctx, http.MethodGet, r.description.Path+"?name="+url.QueryEscape(id), nil)
		if err != nil {
			addError(&response.Diagnostics, "find", r.description.Name, err)
			return
		}
		list, _ := found["data"].([]any)
		if len(list) != 1 {
			response.Diagnostics.AddError("Resource not found", fmt.Sprintf("The deployment has no %s with the name %q.",
				r.description.Name, id))
			return
		}
		id, _ = list[0].(map[string]any)["id"].(string)
	}
	response.Diagnostics.Append(response.State.SetAttribute(ctx, path.Root("id"), id)...)
	if r.description.Name == "pipeline" {
		response.Diagnostics.Append(response.State.SetAttribute(ctx, path.Root(deletionProtection), true)...)
	}
}

// ModifyPlan plans an update if the configuration contains a new secret, and refuses to delete or
// replace a protected resource in the plan, before anything is changed.
func (r *apiResource) ModifyPlan(ctx context.Context, request resource.ModifyPlanRequest, response *resource.ModifyPlanResponse) {
	if request.State.Raw.IsNull() {
		return
	}
	if request.Plan.Raw.IsNull() || changesImmutable(r.description.Attributes, request.State.Raw, request.Plan.Raw) {
		if isTrue(request.State.Raw, deletionProtection) {
			r.refuseDeletion(request.State.Raw, &response.Diagnostics)
		}
		return
	}
	if !r.hasNewSecret(request.Config.Raw, request.State.Raw, &response.Diagnostics) {
		return
	}
	for _, attribute := range r.description.Attributes {
		if !changedByUpdates[attribute.Name] {
			continue
		}
		unknown := any(types.StringUnknown())
		if attribute.Type == "boolean" {
			unknown = types.BoolUnknown()
		}
		response.Diagnostics.Append(response.Plan.SetAttribute(ctx, path.Root(attribute.Name), unknown)...)
	}
}

func (r *apiResource) refuseDeletion(state tftypes.Value, diagnostics *diag.Diagnostics) {
	diagnostics.AddAttributeError(path.Root(deletionProtection), "Deletion protection",
		fmt.Sprintf("The %s %q would be deleted or replaced, but deletion_protection is true. To delete it, set "+
			"deletion_protection to false, and apply this change first.", r.description.Name, text(state, "name")))
}

// writeOnly returns the write-only attributes of the configuration. Terraform passes their values
// only in the configuration.
func (r *apiResource) writeOnly(config tftypes.Value, diagnostics *diag.Diagnostics) map[string]any {
	var list []attribute
	for _, attribute := range r.description.Attributes {
		if attribute.WriteOnly {
			list = append(list, attribute)
		}
	}
	fields, err := toJSON(list, config)
	if err != nil {
		diagnostics.AddError("Invalid configuration", err.Error())
	}
	return withoutNulls(fields)
}

func addSecrets(secrets, body map[string]any) {
	for name, value := range secrets {
		body[name] = value
	}
}

// hasNewSecret compares the secrets of the configuration with what the API returns about the stored
// secrets: their last characters, or whether they are set.
func (r *apiResource) hasNewSecret(config, state tftypes.Value, diagnostics *diag.Diagnostics) bool {
	for name, value := range r.writeOnly(config, diagnostics) {
		secret, isText := value.(string)
		if !isText {
			continue
		}
		if text(config, secretVersion) != text(state, secretVersion) {
			return true
		}
		if name == "template_secret" {
			if !isTrue(state, "has_template_secret") {
				return true
			}
			continue
		}
		if hint := text(state, "hint"); hint != "" && !strings.HasSuffix(secret, hint) || len(secret) < hintLength {
			return true
		}
	}
	return false
}

func (r *apiResource) setPaused(ctx context.Context, found map[string]any, wanted bool, diagnostics *diag.Diagnostics) map[string]any {
	action := "resume"
	if wanted {
		action = "pause"
	}
	id, _ := found["id"].(string)
	changed, err := r.client.call(ctx, http.MethodPost, r.description.Path+"/"+id+"/"+action, nil)
	if err != nil {
		addError(diagnostics, action, r.description.Name, err)
		return found
	}
	changed[paused] = changed["status"] == "paused"
	return changed
}

// store writes a response to the state.
func (r *apiResource) store(ctx context.Context, response map[string]any, prior tftypes.Value, state *tfsdk.State, diagnostics *diag.Diagnostics) {
	kind := r.description.terraformSchema().Type().TerraformType(ctx)
	list := r.description.Attributes
	if r.description.Name == "pipeline" {
		list = append([]attribute{{Name: paused, Type: "boolean"}}, list...)
	}
	value, err := fromJSON(list, kind, response, prior)
	if err != nil {
		diagnostics.AddError("Unexpected response", fmt.Sprintf("The provider does not support this version of the API: %v", err))
		return
	}
	state.Raw = value
}

func (r *apiResource) address(state tftypes.Value) string {
	return r.description.Path + "/" + text(state, "id")
}

func isMissing(err error) bool {
	var failure *problem
	return errors.As(err, &failure) && failure.Status == http.StatusNotFound
}

// addError reports the errors of a response at the attributes that they name.
func addError(diagnostics *diag.Diagnostics, action, name string, err error) {
	summary := fmt.Sprintf("Cannot %s the %s", action, name)
	var failure *problem
	if !errors.As(err, &failure) || len(failure.Errors) == 0 {
		diagnostics.AddError(summary, err.Error())
		return
	}
	for _, detail := range failure.Errors {
		target := path.Empty()
		for _, part := range strings.Split(strings.TrimPrefix(detail.Pointer, "/"), "/") {
			target = target.AtName(strings.NewReplacer("~1", "/", "~0", "~").Replace(part))
			// Elements of lists and maps are reported at the attribute.
			if part == "objects" || part == "events" || part == "template" {
				break
			}
		}
		diagnostics.AddAttributeError(target, summary,
			fmt.Sprintf("%s: %s (status %d, code %s, request %s)", detail.Pointer, detail.Detail, failure.Status, failure.Code, failure.requestID))
	}
}

func field(value tftypes.Value, name string) (tftypes.Value, bool) {
	var fields map[string]tftypes.Value
	if value.IsNull() || value.As(&fields) != nil {
		return tftypes.Value{}, false
	}
	found, exists := fields[name]
	return found, exists && found.IsKnown() && !found.IsNull()
}

// changesImmutable returns whether the plan replaces the resource.
func changesImmutable(list []attribute, state, plan tftypes.Value) bool {
	for _, attribute := range list {
		before, existed := field(state, attribute.Name)
		after, exists := field(plan, attribute.Name)
		if !existed || !exists {
			continue
		}
		if attribute.Immutable && !before.Equal(after) {
			return true
		}
		if attribute.Type == "object" && changesImmutable(attribute.Attributes, before, after) {
			return true
		}
	}
	return false
}

func text(value tftypes.Value, name string) string {
	var result string
	if found, exists := field(value, name); exists {
		_ = found.As(&result)
	}
	return result
}

func isTrue(value tftypes.Value, name string) bool {
	var result bool
	if found, exists := field(value, name); exists {
		_ = found.As(&result)
	}
	return result
}
