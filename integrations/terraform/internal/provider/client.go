package provider

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	attemptsMax    = 5
	requestTimeout = 90 * time.Second
	retryAfterMax  = time.Minute
)

// client sends requests to the API. It repeats a request after a response with status 429, 502, 503
// or 504, and after a failed connection. An idempotency key makes the repetition safe.
type client struct {
	base      *url.URL
	token     string
	userAgent string
	http      *http.Client
}

// problem is an error response of the API (RFC 9457).
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors"`
	requestID string
}

func (p *problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	return fmt.Sprintf("%s (status %d, code %s, request %s)", text, p.Status, p.Code, p.requestID)
}

func newClient(base *url.URL, token, version string) *client {
	return &client{
		base:      base,
		token:     token,
		userAgent: "terraform-provider-freshet/" + version,
		http:      &http.Client{Timeout: requestTimeout},
	}
}

// call sends a request and decodes the response. Numbers are decoded as json.Number.
func (c *client) call(ctx context.Context, method, path string, body any) (map[string]any, error) {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	key := rand.Text()
	for attempt := 1; ; attempt++ {
		response, err := c.send(ctx, method, path, key, content)
		if err == nil && !isTemporary(response.StatusCode) || attempt == attemptsMax {
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, c.base.JoinPath(path), err)
			}
			return decode(response)
		}
		delay := time.Duration(1<<attempt) * 250 * time.Millisecond
		if err == nil {
			if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
				delay = min(time.Duration(seconds)*time.Second, retryAfterMax)
			}
			response.Body.Close()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(delay):
		}
	}
}

func (c *client) send(ctx context.Context, method, path, key string, content []byte) (*http.Response, error) {
	address, query, _ := strings.Cut(path, "?")
	target := c.base.JoinPath(address)
	target.RawQuery = query
	request, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("User-Agent", c.userAgent)
	if method != http.MethodGet {
		request.Header.Set("Idempotency-Key", key)
	}
	if len(content) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	return c.http.Do(request)
}

func isTemporary(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func decode(response *http.Response) (map[string]any, error) {
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 400 {
		failure := &problem{requestID: response.Header.Get("X-Request-Id")}
		if json.Unmarshal(content, failure) != nil || failure.Code == "" {
			failure.Title, failure.Code = "The response is not an error of Freshet's API. Check the URL.", "unknown"
		}
		failure.Status = response.StatusCode
		return nil, failure
	}
	if len(content) == 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	var value map[string]any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("%s: the response is not JSON: %w", response.Request.URL, err)
	}
	return value, nil
}
