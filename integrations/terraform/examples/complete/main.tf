terraform {
  required_version = ">= 1.11"
  required_providers {
    freshet = { source = "freshet/freshet" }
  }
}

variable "subdomain" {
  type = string
}

variable "freshdesk_api_key" {
  type      = string
  ephemeral = true
}

variable "warehouse" {
  type = object({ host = string, port = number, database = string, username = string, ssl_mode = string })
}

variable "warehouse_password" {
  type      = string
  ephemeral = true
}

# The provider reads FRESHET_URL and FRESHET_TOKEN.
provider "freshet" {}

resource "freshet_credential" "freshdesk" {
  name    = "terraform key"
  type    = "freshdesk_api_key"
  api_key = var.freshdesk_api_key
}

resource "freshet_credential" "warehouse" {
  name     = "terraform password"
  type     = "postgres_password"
  password = var.warehouse_password
}

resource "freshet_destination" "warehouse" {
  name          = "terraform warehouse"
  type          = "postgres"
  host          = var.warehouse.host
  port          = var.warehouse.port
  database      = var.warehouse.database
  username      = var.warehouse.username
  ssl_mode      = var.warehouse.ssl_mode
  credential_id = freshet_credential.warehouse.id
}

resource "freshet_pipeline" "tickets" {
  name           = "terraform"
  destination_id = freshet_destination.warehouse.id
  source = {
    type                 = "freshdesk"
    subdomain            = var.subdomain
    credential_id        = freshet_credential.freshdesk.id
    historical_sync_days = 0
  }
  destination_schema = "freshdesk_terraform"
  schedule           = { cron = "30 6 * * 1-5", time_zone = "Europe/Berlin" }
  objects = {
    conversations = { included = false }
    contacts      = { included = true, columns = { email = { hash = true } } }
  }
}

resource "freshet_webhook" "alerts" {
  name     = "terraform alerts"
  url      = "https://hooks.example.com/freshet"
  events   = ["run.failed", "run.partial"]
  template = jsonencode({ text = "{{summary}}" })
}

output "pipeline_id" {
  value = freshet_pipeline.tickets.id
}
