package provider

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func loadResources(t *testing.T) map[string]description {
	t.Helper()
	resources := map[string]description{}
	for _, description := range New("test")().(*freshet).resources {
		resources[description.Name] = description
	}
	return resources
}

// A response becomes a value, and the value becomes the same fields again.
func TestResponseRoundTrip(t *testing.T) {
	pipeline := loadResources(t)["pipeline"]
	kind := pipeline.terraformSchema().Type().TerraformType(context.Background())
	response := map[string]any{}
	decoder := json.NewDecoder(strings.NewReader(`{
		"id": "1", "name": "acme", "destination_id": "2", "destination_schema": "s", "table_prefix": "",
		"source": {"type": "freshdesk", "subdomain": "acme", "credential_id": "3", "historical_sync_days": null, "credit_share_percent": 80},
		"frequency_minutes": 360, "audit_frequency_days": null, "schema_policy": "evolve", "priority": "normal",
		"objects": {"contacts": {"included": true, "columns": {"email": {"hash": true}}}},
		"schedule": null, "record_spike": {"percent": 500, "pause": true}, "monthly_quota": null,
		"analytics": false, "analytics_time_zone": null, "created_at": "c", "updated_at": "u"}`))
	decoder.UseNumber()
	if err := decoder.Decode(&response); err != nil {
		t.Fatal(err)
	}
	value, err := fromJSON(pipeline.Attributes, kind, response, tftypes.NewValue(kind, nil))
	if err != nil {
		t.Fatal(err)
	}
	fields, err := toJSON(pipeline.Attributes, value)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"contacts": map[string]any{"included": true, "columns": map[string]any{"email": map[string]any{"hash": true}}}}
	if !reflect.DeepEqual(fields["objects"], want) {
		t.Errorf("objects: %v", fields["objects"])
	}
	source := fields["source"].(map[string]any)
	if source["historical_sync_days"] != nil || source["credit_share_percent"] != int64(80) {
		t.Errorf("source: %v", source)
	}
	if _, exists := fields["created_at"]; exists {
		t.Error("created_at cannot be set, so a request must not contain it")
	}
}

// An update sends only changed fields, also in objects that the API merges.
func TestChangedFields(t *testing.T) {
	pipeline := loadResources(t)["pipeline"]
	state := map[string]any{
		"name": "a", "frequency_minutes": int64(60), "schedule": map[string]any{"cron": "x", "time_zone": "UTC"},
		"source": map[string]any{"subdomain": "acme", "credit_share_percent": int64(80)},
	}
	plan := map[string]any{
		"name": "b", "frequency_minutes": int64(60), "schedule": nil,
		"source": map[string]any{"subdomain": "acme", "credit_share_percent": int64(50)},
	}
	want := map[string]any{"name": "b", "schedule": nil, "source": map[string]any{"credit_share_percent": int64(50)}}
	if changed := changedFields(pipeline.Attributes, state, plan); !reflect.DeepEqual(changed, want) {
		t.Errorf("changed fields: %v", changed)
	}
}

// A request that the API throttles is repeated with the same idempotency key.
func TestRetry(t *testing.T) {
	var keys []string
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		keys = append(keys, request.Header.Get("Idempotency-Key"))
		if len(keys) < 3 {
			writer.Header().Set("Retry-After", "0")
			writer.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = io.WriteString(writer, `{"id": "1"}`)
	}))
	defer server.Close()
	base, _ := url.Parse(server.URL)
	created, err := newClient(base, "token", "test").call(context.Background(), http.MethodPost, "/v1/webhooks", map[string]any{})
	if err != nil || created["id"] != "1" {
		t.Fatalf("%v, %v", created, err)
	}
	if len(keys) != 3 || keys[0] == "" || keys[0] != keys[2] {
		t.Errorf("idempotency keys: %v", keys)
	}
}
