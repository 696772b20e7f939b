// Written by `make types` from the applied migrations; changes here are lost.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  "public": {
    Tables: {
      "alert_events": {
        Row: {
          "alert_id": number;
          "device_id": number;
          "event_type": string;
          "happened_at": string;
          "id": number;
          "note": string | null;
          "user_id": string | null;
        };
        ComputedFields: never;
        Insert: {
          "alert_id": number;
          "device_id": number;
          "event_type": string;
          "happened_at"?: string;
          "id"?: number;
          "note"?: string | null;
          "user_id"?: string | null;
        };
        Update: {
          "alert_id"?: number;
          "device_id"?: number;
          "event_type"?: string;
          "happened_at"?: string;
          "id"?: number;
          "note"?: string | null;
          "user_id"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "alert_events_alert_id_fkey";
            columns: ["alert_id"];
            isOneToOne: false;
            referencedRelation: "alerts";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "alert_events_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: false;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
        ];
      };
      "alert_notification_rules": {
        Row: {
          "address": string;
          "channel_type": string;
          "created_at": string;
          "created_by": string | null;
          "id": number;
          "is_enabled": boolean;
          "is_told_of_clearing": boolean;
          "quiet_from": string | null;
          "quiet_until": string | null;
          "severity_min": Database["public"]["Enums"]["alert_severity"];
          "site_id": number | null;
          "tag_name": string | null;
          "tag_value": string | null;
          "tenant_id": number | null;
          "time_zone": string;
          "user_id": string | null;
        };
        ComputedFields: never;
        Insert: {
          "address": string;
          "channel_type": string;
          "created_at"?: string;
          "created_by"?: string | null;
          "id"?: number;
          "is_enabled"?: boolean;
          "is_told_of_clearing"?: boolean;
          "quiet_from"?: string | null;
          "quiet_until"?: string | null;
          "severity_min"?: Database["public"]["Enums"]["alert_severity"];
          "site_id"?: number | null;
          "tag_name"?: string | null;
          "tag_value"?: string | null;
          "tenant_id"?: number | null;
          "time_zone"?: string;
          "user_id"?: string | null;
        };
        Update: {
          "address"?: string;
          "channel_type"?: string;
          "created_at"?: string;
          "created_by"?: string | null;
          "id"?: number;
          "is_enabled"?: boolean;
          "is_told_of_clearing"?: boolean;
          "quiet_from"?: string | null;
          "quiet_until"?: string | null;
          "severity_min"?: Database["public"]["Enums"]["alert_severity"];
          "site_id"?: number | null;
          "tag_name"?: string | null;
          "tag_value"?: string | null;
          "tenant_id"?: number | null;
          "time_zone"?: string;
          "user_id"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "alert_notification_rules_site_id_fkey";
            columns: ["site_id"];
            isOneToOne: false;
            referencedRelation: "sites";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "alert_notification_rules_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "alert_notification_rules_user_id_fkey";
            columns: ["user_id"];
            isOneToOne: false;
            referencedRelation: "profiles";
            referencedColumns: ["id"];
          },
        ];
      };
      "alert_notifications": {
        Row: {
          "address": string;
          "alert_id": number;
          "attempts": number;
          "channel_type": string;
          "created_at": string;
          "event_type": string;
          "id": number;
          "last_error": string | null;
          "next_attempt_at": string;
          "notification_rule_id": number;
          "sent_at": string | null;
          "status": string;
          "tenant_id": number | null;
          "user_id": string | null;
        };
        ComputedFields: never;
        Insert: {
          "address": string;
          "alert_id": number;
          "attempts"?: number;
          "channel_type": string;
          "created_at"?: string;
          "event_type": string;
          "id"?: number;
          "last_error"?: string | null;
          "next_attempt_at"?: string;
          "notification_rule_id": number;
          "sent_at"?: string | null;
          "status"?: string;
          "tenant_id"?: number | null;
          "user_id"?: string | null;
        };
        Update: {
          "address"?: string;
          "alert_id"?: number;
          "attempts"?: number;
          "channel_type"?: string;
          "created_at"?: string;
          "event_type"?: string;
          "id"?: number;
          "last_error"?: string | null;
          "next_attempt_at"?: string;
          "notification_rule_id"?: number;
          "sent_at"?: string | null;
          "status"?: string;
          "tenant_id"?: number | null;
          "user_id"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "alert_notifications_alert_id_fkey";
            columns: ["alert_id"];
            isOneToOne: false;
            referencedRelation: "alerts";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "alert_notifications_notification_rule_id_fkey";
            columns: ["notification_rule_id"];
            isOneToOne: false;
            referencedRelation: "alert_notification_rules";
            referencedColumns: ["id"];
          },
        ];
      };
      "alert_rules": {
        Row: {
          "clear_threshold": number | null;
          "cooldown_s": number;
          "created_at": string;
          "created_by": string | null;
          "device_id": number | null;
          "duration_s": number;
          "id": number;
          "is_above": boolean | null;
          "is_enabled": boolean;
          "kind": string | null;
          "metric": string | null;
          "name": string;
          "rule_type": string;
          "severity": Database["public"]["Enums"]["alert_severity"];
          "site_id": number | null;
          "stale_after_s": number | null;
          "table_name": string | null;
          "tag_name": string | null;
          "tag_value": string | null;
          "tenant_id": number;
          "threshold": number | null;
        };
        ComputedFields: never;
        Insert: {
          "clear_threshold"?: number | null;
          "cooldown_s"?: number;
          "created_at"?: string;
          "created_by"?: string | null;
          "device_id"?: number | null;
          "duration_s"?: number;
          "id"?: number;
          "is_above"?: boolean | null;
          "is_enabled"?: boolean;
          "kind"?: string | null;
          "metric"?: string | null;
          "name": string;
          "rule_type": string;
          "severity"?: Database["public"]["Enums"]["alert_severity"];
          "site_id"?: number | null;
          "stale_after_s"?: number | null;
          "table_name"?: string | null;
          "tag_name"?: string | null;
          "tag_value"?: string | null;
          "tenant_id": number;
          "threshold"?: number | null;
        };
        Update: {
          "clear_threshold"?: number | null;
          "cooldown_s"?: number;
          "created_at"?: string;
          "created_by"?: string | null;
          "device_id"?: number | null;
          "duration_s"?: number;
          "id"?: number;
          "is_above"?: boolean | null;
          "is_enabled"?: boolean;
          "kind"?: string | null;
          "metric"?: string | null;
          "name"?: string;
          "rule_type"?: string;
          "severity"?: Database["public"]["Enums"]["alert_severity"];
          "site_id"?: number | null;
          "stale_after_s"?: number | null;
          "table_name"?: string | null;
          "tag_name"?: string | null;
          "tag_value"?: string | null;
          "tenant_id"?: number;
          "threshold"?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: "alert_rules_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: false;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "alert_rules_site_id_fkey";
            columns: ["site_id"];
            isOneToOne: false;
            referencedRelation: "sites";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "alert_rules_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "alert_silences": {
        Row: {
          "created_at": string;
          "created_by": string | null;
          "device_id": number | null;
          "id": number;
          "reason": string;
          "rule_id": number | null;
          "silenced_until": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "created_by"?: string | null;
          "device_id"?: number | null;
          "id"?: number;
          "reason": string;
          "rule_id"?: number | null;
          "silenced_until": string;
        };
        Update: {
          "created_at"?: string;
          "created_by"?: string | null;
          "device_id"?: number | null;
          "id"?: number;
          "reason"?: string;
          "rule_id"?: number | null;
          "silenced_until"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "alert_silences_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: false;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "alert_silences_rule_id_fkey";
            columns: ["rule_id"];
            isOneToOne: false;
            referencedRelation: "alert_rules";
            referencedColumns: ["id"];
          },
        ];
      };
      "alerts": {
        Row: {
          "acknowledged_at": string | null;
          "acknowledged_by": string | null;
          "alert_type": string;
          "cleared_at": string | null;
          "created_at": string;
          "details": NonNullable<Json>;
          "device_id": number | null;
          "id": number;
          "is_acknowledged": boolean;
          "is_active": boolean;
          "message": string;
          "raised_at": string;
          "recorded_at": string;
          "resolved_at": string | null;
          "resolved_by": string | null;
          "rule_id": number | null;
          "severity": Database["public"]["Enums"]["alert_severity"];
          "silenced_until": string | null;
          "threshold": number | null;
          "title": string;
          "value": number | null;
        };
        ComputedFields: never;
        Insert: {
          "acknowledged_at"?: string | null;
          "acknowledged_by"?: string | null;
          "alert_type": string;
          "cleared_at"?: string | null;
          "created_at"?: string;
          "details"?: NonNullable<Json>;
          "device_id"?: number | null;
          "id"?: number;
          "is_acknowledged"?: boolean;
          "is_active"?: boolean;
          "message": string;
          "raised_at": string;
          "recorded_at": string;
          "resolved_at"?: string | null;
          "resolved_by"?: string | null;
          "rule_id"?: number | null;
          "severity": Database["public"]["Enums"]["alert_severity"];
          "silenced_until"?: string | null;
          "threshold"?: number | null;
          "title": string;
          "value"?: number | null;
        };
        Update: {
          "acknowledged_at"?: string | null;
          "acknowledged_by"?: string | null;
          "alert_type"?: string;
          "cleared_at"?: string | null;
          "created_at"?: string;
          "details"?: NonNullable<Json>;
          "device_id"?: number | null;
          "id"?: number;
          "is_acknowledged"?: boolean;
          "is_active"?: boolean;
          "message"?: string;
          "raised_at"?: string;
          "recorded_at"?: string;
          "resolved_at"?: string | null;
          "resolved_by"?: string | null;
          "rule_id"?: number | null;
          "severity"?: Database["public"]["Enums"]["alert_severity"];
          "silenced_until"?: string | null;
          "threshold"?: number | null;
          "title"?: string;
          "value"?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: "alerts_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: false;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "alerts_rule_id_fkey";
            columns: ["rule_id"];
            isOneToOne: false;
            referencedRelation: "alert_rules";
            referencedColumns: ["id"];
          },
        ];
      };
      "attendance_logs": {
        Row: {
          "device_id": number;
          "epoch": number;
          "error_details": string | null;
          "photo_url": string | null;
          "quality": number;
          "received_at": string;
          "recorded_at": string;
          "result": string;
          "scan_type": string;
          "seq": number;
          "student_id": string;
          "student_name": string | null;
          "time_quality": number;
        };
        ComputedFields: never;
        Insert: {
          "device_id": number;
          "epoch": number;
          "error_details"?: string | null;
          "photo_url"?: string | null;
          "quality": number;
          "received_at"?: string;
          "recorded_at": string;
          "result": string;
          "scan_type": string;
          "seq": number;
          "student_id": string;
          "student_name"?: string | null;
          "time_quality": number;
        };
        Update: {
          "device_id"?: number;
          "epoch"?: number;
          "error_details"?: string | null;
          "photo_url"?: string | null;
          "quality"?: number;
          "received_at"?: string;
          "recorded_at"?: string;
          "result"?: string;
          "scan_type"?: string;
          "seq"?: number;
          "student_id"?: string;
          "student_name"?: string | null;
          "time_quality"?: number;
        };
        Relationships: [];
      };
      "audit_logs": {
        Row: {
          "action_type": string;
          "actor_id": string | null;
          "actor_type": string;
          "details": NonNullable<Json>;
          "id": number;
          "ip_address": unknown;
          "occurred_at": string;
          "request_id": string | null;
          "resource_id": string | null;
          "resource_type": string;
          "tenant_id": number | null;
          "user_agent": string | null;
        };
        ComputedFields: never;
        Insert: {
          "action_type": string;
          "actor_id"?: string | null;
          "actor_type": string;
          "details"?: NonNullable<Json>;
          "id"?: never;
          "ip_address"?: unknown;
          "occurred_at"?: string;
          "request_id"?: string | null;
          "resource_id"?: string | null;
          "resource_type": string;
          "tenant_id"?: number | null;
          "user_agent"?: string | null;
        };
        Update: {
          "action_type"?: string;
          "actor_id"?: string | null;
          "actor_type"?: string;
          "details"?: NonNullable<Json>;
          "id"?: never;
          "ip_address"?: unknown;
          "occurred_at"?: string;
          "request_id"?: string | null;
          "resource_id"?: string | null;
          "resource_type"?: string;
          "tenant_id"?: number | null;
          "user_agent"?: string | null;
        };
        Relationships: [];
      };
      "command_approvals": {
        Row: {
          "command_id": number;
          "created_by": string;
          "decided_at": string;
          "decided_by": string;
          "device_id": number;
          "is_approved": boolean;
          "reason": string | null;
        };
        ComputedFields: never;
        Insert: {
          "command_id": number;
          "created_by": string;
          "decided_at"?: string;
          "decided_by": string;
          "device_id": number;
          "is_approved": boolean;
          "reason"?: string | null;
        };
        Update: {
          "command_id"?: number;
          "created_by"?: string;
          "decided_at"?: string;
          "decided_by"?: string;
          "device_id"?: number;
          "is_approved"?: boolean;
          "reason"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "command_approvals_of_a_command";
            columns: ["command_id", "device_id", "created_by"];
            isOneToOne: false;
            referencedRelation: "device_commands";
            referencedColumns: ["id", "device_id", "created_by"];
          },
        ];
      };
      "command_types": {
        Row: {
          "arguments": NonNullable<Json>;
          "command_type": string;
          "description": string;
          "is_dangerous": boolean;
          "least_role": Database["public"]["Enums"]["user_role"];
          "time_limit_s": number;
          "time_to_live_s": number;
        };
        ComputedFields: never;
        Insert: {
          "arguments"?: NonNullable<Json>;
          "command_type": string;
          "description": string;
          "is_dangerous": boolean;
          "least_role": Database["public"]["Enums"]["user_role"];
          "time_limit_s": number;
          "time_to_live_s": number;
        };
        Update: {
          "arguments"?: NonNullable<Json>;
          "command_type"?: string;
          "description"?: string;
          "is_dangerous"?: boolean;
          "least_role"?: Database["public"]["Enums"]["user_role"];
          "time_limit_s"?: number;
          "time_to_live_s"?: number;
        };
        Relationships: [];
      };
      "device_calibrations": {
        Row: {
          "calibration_type": string;
          "created_at": string;
          "created_by": string | null;
          "device_id": number;
          "id": number;
          "metric": string;
          "parameters": NonNullable<Json>;
          "valid_from": string;
          "valid_until": string | null;
        };
        ComputedFields: never;
        Insert: {
          "calibration_type": string;
          "created_at"?: string;
          "created_by"?: string | null;
          "device_id": number;
          "id"?: number;
          "metric": string;
          "parameters": NonNullable<Json>;
          "valid_from"?: string;
          "valid_until"?: string | null;
        };
        Update: {
          "calibration_type"?: string;
          "created_at"?: string;
          "created_by"?: string | null;
          "device_id"?: number;
          "id"?: number;
          "metric"?: string;
          "parameters"?: NonNullable<Json>;
          "valid_from"?: string;
          "valid_until"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "device_calibrations_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: false;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
        ];
      };
      "device_command_history": {
        Row: {
          "actor_id": string | null;
          "actor_type": string;
          "command_id": number;
          "device_id": number;
          "duration_ms": number | null;
          "exit_code": number | null;
          "id": number;
          "is_late": boolean;
          "occurred_at": string;
          "result": Json | null;
          "status": Database["public"]["Enums"]["command_status"];
          "status_before": Database["public"]["Enums"]["command_status"] | null;
          "stderr": string | null;
          "stdout": string | null;
        };
        ComputedFields: never;
        Insert: {
          "actor_id"?: string | null;
          "actor_type": string;
          "command_id": number;
          "device_id": number;
          "duration_ms"?: number | null;
          "exit_code"?: number | null;
          "id"?: never;
          "is_late"?: boolean;
          "occurred_at"?: string;
          "result"?: Json | null;
          "status": Database["public"]["Enums"]["command_status"];
          "status_before"?: Database["public"]["Enums"]["command_status"] | null;
          "stderr"?: string | null;
          "stdout"?: string | null;
        };
        Update: {
          "actor_id"?: string | null;
          "actor_type"?: string;
          "command_id"?: number;
          "device_id"?: number;
          "duration_ms"?: number | null;
          "exit_code"?: number | null;
          "id"?: never;
          "is_late"?: boolean;
          "occurred_at"?: string;
          "result"?: Json | null;
          "status"?: Database["public"]["Enums"]["command_status"];
          "status_before"?: Database["public"]["Enums"]["command_status"] | null;
          "stderr"?: string | null;
          "stdout"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "device_command_history_command_id_fkey";
            columns: ["command_id"];
            isOneToOne: false;
            referencedRelation: "device_commands";
            referencedColumns: ["id"];
          },
        ];
      };
      "device_commands": {
        Row: {
          "args": NonNullable<Json>;
          "command_type": string;
          "created_at": string;
          "created_by": string;
          "device_id": number;
          "executing_at": string | null;
          "expires_at": string;
          "finished_at": string | null;
          "id": number;
          "idempotency_key": string | null;
          "is_approved": boolean | null;
          "is_dangerous": boolean;
          "resend_of": number | null;
          "sent_at": string | null;
          "status": Database["public"]["Enums"]["command_status"];
          "tenant_id": number;
          "time_limit_s": number;
        };
        ComputedFields: never;
        Insert: {
          "args"?: NonNullable<Json>;
          "command_type": string;
          "created_at"?: string;
          "created_by": string;
          "device_id": number;
          "executing_at"?: string | null;
          "expires_at": string;
          "finished_at"?: string | null;
          "id"?: never;
          "idempotency_key"?: string | null;
          "is_approved"?: boolean | null;
          "is_dangerous": boolean;
          "resend_of"?: number | null;
          "sent_at"?: string | null;
          "status"?: Database["public"]["Enums"]["command_status"];
          "tenant_id": number;
          "time_limit_s": number;
        };
        Update: {
          "args"?: NonNullable<Json>;
          "command_type"?: string;
          "created_at"?: string;
          "created_by"?: string;
          "device_id"?: number;
          "executing_at"?: string | null;
          "expires_at"?: string;
          "finished_at"?: string | null;
          "id"?: never;
          "idempotency_key"?: string | null;
          "is_approved"?: boolean | null;
          "is_dangerous"?: boolean;
          "resend_of"?: number | null;
          "sent_at"?: string | null;
          "status"?: Database["public"]["Enums"]["command_status"];
          "tenant_id"?: number;
          "time_limit_s"?: number;
        };
        Relationships: [
          {
            foreignKeyName: "device_commands_command_type_fkey";
            columns: ["command_type"];
            isOneToOne: false;
            referencedRelation: "command_types";
            referencedColumns: ["command_type"];
          },
          {
            foreignKeyName: "device_commands_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: false;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "device_commands_resend_of_fkey";
            columns: ["resend_of"];
            isOneToOne: false;
            referencedRelation: "device_commands";
            referencedColumns: ["id"];
          },
        ];
      };
      "device_deep_settings": {
        Row: {
          "device_id": number;
          "pump_depth_m": number | null;
          "rated_power_w": number | null;
          "well_depth_m": number;
        };
        ComputedFields: never;
        Insert: {
          "device_id": number;
          "pump_depth_m"?: number | null;
          "rated_power_w"?: number | null;
          "well_depth_m": number;
        };
        Update: {
          "device_id"?: number;
          "pump_depth_m"?: number | null;
          "rated_power_w"?: number | null;
          "well_depth_m"?: number;
        };
        Relationships: [
          {
            foreignKeyName: "device_deep_settings_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: true;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
        ];
      };
      "device_downtime": {
        Row: {
          "device_id": number;
          "duration_s": number | null;
          "ended_at": string | null;
          "id": number;
          "reason": string | null;
          "started_at": string;
        };
        ComputedFields: never;
        Insert: {
          "device_id": number;
          "duration_s"?: never;
          "ended_at"?: string | null;
          "id"?: number;
          "reason"?: string | null;
          "started_at": string;
        };
        Update: {
          "device_id"?: number;
          "duration_s"?: never;
          "ended_at"?: string | null;
          "id"?: number;
          "reason"?: string | null;
          "started_at"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "device_downtime_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: false;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
        ];
      };
      "device_firmware": {
        Row: {
          "bootloader_version": string | null;
          "device_id": number;
          "firmware_version": string;
          "hardware_revision": string | null;
          "last_update_at": string | null;
          "reported_at": string;
          "update_status": string;
        };
        ComputedFields: never;
        Insert: {
          "bootloader_version"?: string | null;
          "device_id": number;
          "firmware_version": string;
          "hardware_revision"?: string | null;
          "last_update_at"?: string | null;
          "reported_at"?: string;
          "update_status"?: string;
        };
        Update: {
          "bootloader_version"?: string | null;
          "device_id"?: number;
          "firmware_version"?: string;
          "hardware_revision"?: string | null;
          "last_update_at"?: string | null;
          "reported_at"?: string;
          "update_status"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "device_firmware_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: true;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
        ];
      };
      "device_flow_settings": {
        Row: {
          "device_id": number;
          "litres_per_pulse": number | null;
          "max_flow_rate_lpm": number;
          "pipe_diameter_mm": number | null;
        };
        ComputedFields: never;
        Insert: {
          "device_id": number;
          "litres_per_pulse"?: number | null;
          "max_flow_rate_lpm": number;
          "pipe_diameter_mm"?: number | null;
        };
        Update: {
          "device_id"?: number;
          "litres_per_pulse"?: number | null;
          "max_flow_rate_lpm"?: number;
          "pipe_diameter_mm"?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: "device_flow_settings_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: true;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
        ];
      };
      "device_footfall_settings": {
        Row: {
          "capacity_people": number;
          "device_id": number;
        };
        ComputedFields: never;
        Insert: {
          "capacity_people": number;
          "device_id": number;
        };
        Update: {
          "capacity_people"?: number;
          "device_id"?: number;
        };
        Relationships: [
          {
            foreignKeyName: "device_footfall_settings_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: true;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
        ];
      };
      "device_heartbeats": {
        Row: {
          "battery_v": number | null;
          "clock_offset_ms": number | null;
          "cpu_percent": number | null;
          "device_id": number;
          "epoch": number;
          "free_memory_bytes": number | null;
          "network_status": string | null;
          "quality": number;
          "queue_length": number | null;
          "ram_percent": number | null;
          "received_at": string;
          "recorded_at": string;
          "reset_cause": string | null;
          "rssi_dbm": number | null;
          "seq": number;
          "storage_percent": number | null;
          "temperature_c": number | null;
          "time_quality": number;
          "uptime_s": number | null;
        };
        ComputedFields: never;
        Insert: {
          "battery_v"?: number | null;
          "clock_offset_ms"?: number | null;
          "cpu_percent"?: number | null;
          "device_id": number;
          "epoch": number;
          "free_memory_bytes"?: number | null;
          "network_status"?: string | null;
          "quality": number;
          "queue_length"?: number | null;
          "ram_percent"?: number | null;
          "received_at"?: string;
          "recorded_at": string;
          "reset_cause"?: string | null;
          "rssi_dbm"?: number | null;
          "seq": number;
          "storage_percent"?: number | null;
          "temperature_c"?: number | null;
          "time_quality": number;
          "uptime_s"?: number | null;
        };
        Update: {
          "battery_v"?: number | null;
          "clock_offset_ms"?: number | null;
          "cpu_percent"?: number | null;
          "device_id"?: number;
          "epoch"?: number;
          "free_memory_bytes"?: number | null;
          "network_status"?: string | null;
          "quality"?: number;
          "queue_length"?: number | null;
          "ram_percent"?: number | null;
          "received_at"?: string;
          "recorded_at"?: string;
          "reset_cause"?: string | null;
          "rssi_dbm"?: number | null;
          "seq"?: number;
          "storage_percent"?: number | null;
          "temperature_c"?: number | null;
          "time_quality"?: number;
          "uptime_s"?: number | null;
        };
        Relationships: [];
      };
      "device_metrics_5min": {
        Row: {
          "battery_v_count": number;
          "battery_v_max": number | null;
          "battery_v_mean": number | null;
          "battery_v_min": number | null;
          "bucket_at": string;
          "clock_offset_ms_count": number;
          "clock_offset_ms_max": number | null;
          "clock_offset_ms_mean": number | null;
          "clock_offset_ms_min": number | null;
          "cpu_percent_count": number;
          "cpu_percent_max": number | null;
          "cpu_percent_mean": number | null;
          "cpu_percent_min": number | null;
          "device_id": number;
          "free_memory_bytes_count": number;
          "free_memory_bytes_max": number | null;
          "free_memory_bytes_mean": number | null;
          "free_memory_bytes_min": number | null;
          "queue_length_count": number;
          "queue_length_max": number | null;
          "queue_length_mean": number | null;
          "queue_length_min": number | null;
          "ram_percent_count": number;
          "ram_percent_max": number | null;
          "ram_percent_mean": number | null;
          "ram_percent_min": number | null;
          "readings": number;
          "rssi_dbm_count": number;
          "rssi_dbm_max": number | null;
          "rssi_dbm_mean": number | null;
          "rssi_dbm_min": number | null;
          "storage_percent_count": number;
          "storage_percent_max": number | null;
          "storage_percent_mean": number | null;
          "storage_percent_min": number | null;
          "temperature_c_count": number;
          "temperature_c_max": number | null;
          "temperature_c_mean": number | null;
          "temperature_c_min": number | null;
          "uptime_s_count": number;
          "uptime_s_max": number | null;
          "uptime_s_mean": number | null;
          "uptime_s_min": number | null;
        };
        ComputedFields: never;
        Insert: {
          "battery_v_count"?: number;
          "battery_v_max"?: number | null;
          "battery_v_mean"?: number | null;
          "battery_v_min"?: number | null;
          "bucket_at": string;
          "clock_offset_ms_count"?: number;
          "clock_offset_ms_max"?: number | null;
          "clock_offset_ms_mean"?: number | null;
          "clock_offset_ms_min"?: number | null;
          "cpu_percent_count"?: number;
          "cpu_percent_max"?: number | null;
          "cpu_percent_mean"?: number | null;
          "cpu_percent_min"?: number | null;
          "device_id": number;
          "free_memory_bytes_count"?: number;
          "free_memory_bytes_max"?: number | null;
          "free_memory_bytes_mean"?: number | null;
          "free_memory_bytes_min"?: number | null;
          "queue_length_count"?: number;
          "queue_length_max"?: number | null;
          "queue_length_mean"?: number | null;
          "queue_length_min"?: number | null;
          "ram_percent_count"?: number;
          "ram_percent_max"?: number | null;
          "ram_percent_mean"?: number | null;
          "ram_percent_min"?: number | null;
          "readings"?: number;
          "rssi_dbm_count"?: number;
          "rssi_dbm_max"?: number | null;
          "rssi_dbm_mean"?: number | null;
          "rssi_dbm_min"?: number | null;
          "storage_percent_count"?: number;
          "storage_percent_max"?: number | null;
          "storage_percent_mean"?: number | null;
          "storage_percent_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
          "uptime_s_count"?: number;
          "uptime_s_max"?: number | null;
          "uptime_s_mean"?: number | null;
          "uptime_s_min"?: number | null;
        };
        Update: {
          "battery_v_count"?: number;
          "battery_v_max"?: number | null;
          "battery_v_mean"?: number | null;
          "battery_v_min"?: number | null;
          "bucket_at"?: string;
          "clock_offset_ms_count"?: number;
          "clock_offset_ms_max"?: number | null;
          "clock_offset_ms_mean"?: number | null;
          "clock_offset_ms_min"?: number | null;
          "cpu_percent_count"?: number;
          "cpu_percent_max"?: number | null;
          "cpu_percent_mean"?: number | null;
          "cpu_percent_min"?: number | null;
          "device_id"?: number;
          "free_memory_bytes_count"?: number;
          "free_memory_bytes_max"?: number | null;
          "free_memory_bytes_mean"?: number | null;
          "free_memory_bytes_min"?: number | null;
          "queue_length_count"?: number;
          "queue_length_max"?: number | null;
          "queue_length_mean"?: number | null;
          "queue_length_min"?: number | null;
          "ram_percent_count"?: number;
          "ram_percent_max"?: number | null;
          "ram_percent_mean"?: number | null;
          "ram_percent_min"?: number | null;
          "readings"?: number;
          "rssi_dbm_count"?: number;
          "rssi_dbm_max"?: number | null;
          "rssi_dbm_mean"?: number | null;
          "rssi_dbm_min"?: number | null;
          "storage_percent_count"?: number;
          "storage_percent_max"?: number | null;
          "storage_percent_mean"?: number | null;
          "storage_percent_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
          "uptime_s_count"?: number;
          "uptime_s_max"?: number | null;
          "uptime_s_mean"?: number | null;
          "uptime_s_min"?: number | null;
        };
        Relationships: [];
      };
      "device_metrics_daily": {
        Row: {
          "battery_v_count": number;
          "battery_v_max": number | null;
          "battery_v_mean": number | null;
          "battery_v_min": number | null;
          "bucket_at": string;
          "clock_offset_ms_count": number;
          "clock_offset_ms_max": number | null;
          "clock_offset_ms_mean": number | null;
          "clock_offset_ms_min": number | null;
          "cpu_percent_count": number;
          "cpu_percent_max": number | null;
          "cpu_percent_mean": number | null;
          "cpu_percent_min": number | null;
          "device_id": number;
          "free_memory_bytes_count": number;
          "free_memory_bytes_max": number | null;
          "free_memory_bytes_mean": number | null;
          "free_memory_bytes_min": number | null;
          "queue_length_count": number;
          "queue_length_max": number | null;
          "queue_length_mean": number | null;
          "queue_length_min": number | null;
          "ram_percent_count": number;
          "ram_percent_max": number | null;
          "ram_percent_mean": number | null;
          "ram_percent_min": number | null;
          "readings": number;
          "rssi_dbm_count": number;
          "rssi_dbm_max": number | null;
          "rssi_dbm_mean": number | null;
          "rssi_dbm_min": number | null;
          "storage_percent_count": number;
          "storage_percent_max": number | null;
          "storage_percent_mean": number | null;
          "storage_percent_min": number | null;
          "temperature_c_count": number;
          "temperature_c_max": number | null;
          "temperature_c_mean": number | null;
          "temperature_c_min": number | null;
          "total_scans": number;
          "uptime_h": number;
          "uptime_s_count": number;
          "uptime_s_max": number | null;
          "uptime_s_mean": number | null;
          "uptime_s_min": number | null;
        };
        ComputedFields: never;
        Insert: {
          "battery_v_count"?: number;
          "battery_v_max"?: number | null;
          "battery_v_mean"?: number | null;
          "battery_v_min"?: number | null;
          "bucket_at": string;
          "clock_offset_ms_count"?: number;
          "clock_offset_ms_max"?: number | null;
          "clock_offset_ms_mean"?: number | null;
          "clock_offset_ms_min"?: number | null;
          "cpu_percent_count"?: number;
          "cpu_percent_max"?: number | null;
          "cpu_percent_mean"?: number | null;
          "cpu_percent_min"?: number | null;
          "device_id": number;
          "free_memory_bytes_count"?: number;
          "free_memory_bytes_max"?: number | null;
          "free_memory_bytes_mean"?: number | null;
          "free_memory_bytes_min"?: number | null;
          "queue_length_count"?: number;
          "queue_length_max"?: number | null;
          "queue_length_mean"?: number | null;
          "queue_length_min"?: number | null;
          "ram_percent_count"?: number;
          "ram_percent_max"?: number | null;
          "ram_percent_mean"?: number | null;
          "ram_percent_min"?: number | null;
          "readings"?: number;
          "rssi_dbm_count"?: number;
          "rssi_dbm_max"?: number | null;
          "rssi_dbm_mean"?: number | null;
          "rssi_dbm_min"?: number | null;
          "storage_percent_count"?: number;
          "storage_percent_max"?: number | null;
          "storage_percent_mean"?: number | null;
          "storage_percent_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
          "total_scans"?: number;
          "uptime_h"?: number;
          "uptime_s_count"?: number;
          "uptime_s_max"?: number | null;
          "uptime_s_mean"?: number | null;
          "uptime_s_min"?: number | null;
        };
        Update: {
          "battery_v_count"?: number;
          "battery_v_max"?: number | null;
          "battery_v_mean"?: number | null;
          "battery_v_min"?: number | null;
          "bucket_at"?: string;
          "clock_offset_ms_count"?: number;
          "clock_offset_ms_max"?: number | null;
          "clock_offset_ms_mean"?: number | null;
          "clock_offset_ms_min"?: number | null;
          "cpu_percent_count"?: number;
          "cpu_percent_max"?: number | null;
          "cpu_percent_mean"?: number | null;
          "cpu_percent_min"?: number | null;
          "device_id"?: number;
          "free_memory_bytes_count"?: number;
          "free_memory_bytes_max"?: number | null;
          "free_memory_bytes_mean"?: number | null;
          "free_memory_bytes_min"?: number | null;
          "queue_length_count"?: number;
          "queue_length_max"?: number | null;
          "queue_length_mean"?: number | null;
          "queue_length_min"?: number | null;
          "ram_percent_count"?: number;
          "ram_percent_max"?: number | null;
          "ram_percent_mean"?: number | null;
          "ram_percent_min"?: number | null;
          "readings"?: number;
          "rssi_dbm_count"?: number;
          "rssi_dbm_max"?: number | null;
          "rssi_dbm_mean"?: number | null;
          "rssi_dbm_min"?: number | null;
          "storage_percent_count"?: number;
          "storage_percent_max"?: number | null;
          "storage_percent_mean"?: number | null;
          "storage_percent_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
          "total_scans"?: number;
          "uptime_h"?: number;
          "uptime_s_count"?: number;
          "uptime_s_max"?: number | null;
          "uptime_s_mean"?: number | null;
          "uptime_s_min"?: number | null;
        };
        Relationships: [];
      };
      "device_state": {
        Row: {
          "device_id": number;
          "last_received_at": string;
          "last_seen_at": string;
          "latest": NonNullable<Json>;
          "status": string;
          "version": number;
        };
        ComputedFields: never;
        Insert: {
          "device_id": number;
          "last_received_at"?: string;
          "last_seen_at": string;
          "latest"?: NonNullable<Json>;
          "status"?: string;
          "version"?: number;
        };
        Update: {
          "device_id"?: number;
          "last_received_at"?: string;
          "last_seen_at"?: string;
          "latest"?: NonNullable<Json>;
          "status"?: string;
          "version"?: number;
        };
        Relationships: [
          {
            foreignKeyName: "device_state_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: true;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
        ];
      };
      "device_tags": {
        Row: {
          "created_at": string;
          "device_id": number;
          "id": number;
          "tag_name": string;
          "tag_value": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "device_id": number;
          "id"?: number;
          "tag_name": string;
          "tag_value"?: string;
        };
        Update: {
          "created_at"?: string;
          "device_id"?: number;
          "id"?: number;
          "tag_name"?: string;
          "tag_value"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "device_tags_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: false;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
        ];
      };
      "device_tank_settings": {
        Row: {
          "capacity_l": number;
          "device_id": number;
          "full_level_cm": number | null;
          "height_cm": number;
          "low_level_cm": number | null;
        };
        ComputedFields: never;
        Insert: {
          "capacity_l": number;
          "device_id": number;
          "full_level_cm"?: number | null;
          "height_cm": number;
          "low_level_cm"?: number | null;
        };
        Update: {
          "capacity_l"?: number;
          "device_id"?: number;
          "full_level_cm"?: number | null;
          "height_cm"?: number;
          "low_level_cm"?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: "device_tank_settings_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: true;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
        ];
      };
      "devices": {
        Row: {
          "building": string | null;
          "created_at": string;
          "device_key": string;
          "floor": string | null;
          "hub_id": number | null;
          "id": number;
          "is_roaming": boolean;
          "kind": string;
          "latitude": number | null;
          "location": string | null;
          "longitude": number | null;
          "metadata": NonNullable<Json>;
          "name": string;
          "offline_after_s": number;
          "revoked_at": string | null;
          "room": string | null;
          "site_id": number | null;
          "status": Database["public"]["Enums"]["device_status"];
          "tenant_id": number;
        };
        ComputedFields: never;
        Insert: {
          "building"?: string | null;
          "created_at"?: string;
          "device_key": string;
          "floor"?: string | null;
          "hub_id"?: number | null;
          "id"?: number;
          "is_roaming"?: boolean;
          "kind": string;
          "latitude"?: number | null;
          "location"?: string | null;
          "longitude"?: number | null;
          "metadata"?: NonNullable<Json>;
          "name": string;
          "offline_after_s"?: number;
          "revoked_at"?: string | null;
          "room"?: string | null;
          "site_id"?: number | null;
          "status"?: Database["public"]["Enums"]["device_status"];
          "tenant_id": number;
        };
        Update: {
          "building"?: string | null;
          "created_at"?: string;
          "device_key"?: string;
          "floor"?: string | null;
          "hub_id"?: number | null;
          "id"?: number;
          "is_roaming"?: boolean;
          "kind"?: string;
          "latitude"?: number | null;
          "location"?: string | null;
          "longitude"?: number | null;
          "metadata"?: NonNullable<Json>;
          "name"?: string;
          "offline_after_s"?: number;
          "revoked_at"?: string | null;
          "room"?: string | null;
          "site_id"?: number | null;
          "status"?: Database["public"]["Enums"]["device_status"];
          "tenant_id"?: number;
        };
        Relationships: [
          {
            foreignKeyName: "devices_hub_id_fkey";
            columns: ["hub_id"];
            isOneToOne: false;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
          {
            foreignKeyName: "devices_site_of_same_tenant";
            columns: ["site_id", "tenant_id"];
            isOneToOne: false;
            referencedRelation: "sites";
            referencedColumns: ["id", "tenant_id"];
          },
          {
            foreignKeyName: "devices_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "error_logs": {
        Row: {
          "code": string;
          "context": string | null;
          "device_id": number;
          "epoch": number;
          "level": string;
          "message": string;
          "quality": number;
          "received_at": string;
          "recorded_at": string;
          "seq": number;
          "time_quality": number;
        };
        ComputedFields: never;
        Insert: {
          "code": string;
          "context"?: string | null;
          "device_id": number;
          "epoch": number;
          "level": string;
          "message": string;
          "quality": number;
          "received_at"?: string;
          "recorded_at": string;
          "seq": number;
          "time_quality": number;
        };
        Update: {
          "code"?: string;
          "context"?: string | null;
          "device_id"?: number;
          "epoch"?: number;
          "level"?: string;
          "message"?: string;
          "quality"?: number;
          "received_at"?: string;
          "recorded_at"?: string;
          "seq"?: number;
          "time_quality"?: number;
        };
        Relationships: [];
      };
      "field_mappings": {
        Row: {
          "device_id": number;
          "external_name": string;
          "id": number;
          "metric_name": string | null;
          "offset_value": number;
          "scale": number;
        };
        ComputedFields: never;
        Insert: {
          "device_id": number;
          "external_name": string;
          "id"?: number;
          "metric_name"?: string | null;
          "offset_value"?: number;
          "scale"?: number;
        };
        Update: {
          "device_id"?: number;
          "external_name"?: string;
          "id"?: number;
          "metric_name"?: string | null;
          "offset_value"?: number;
          "scale"?: number;
        };
        Relationships: [
          {
            foreignKeyName: "field_mappings_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: false;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
        ];
      };
      "ingest_keys": {
        Row: {
          "created_at": string;
          "created_by": string | null;
          "device_id": number;
          "id": number;
          "key_prefix": string;
          "last_used_at": string | null;
          "name": string;
          "revoked_at": string | null;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "created_by"?: string | null;
          "device_id": number;
          "id"?: never;
          "key_prefix": string;
          "last_used_at"?: string | null;
          "name": string;
          "revoked_at"?: string | null;
        };
        Update: {
          "created_at"?: string;
          "created_by"?: string | null;
          "device_id"?: number;
          "id"?: never;
          "key_prefix"?: string;
          "last_used_at"?: string | null;
          "name"?: string;
          "revoked_at"?: string | null;
        };
        Relationships: [
          {
            foreignKeyName: "ingest_keys_device_id_fkey";
            columns: ["device_id"];
            isOneToOne: false;
            referencedRelation: "devices";
            referencedColumns: ["id"];
          },
        ];
      };
      "loss_ledger": {
        Row: {
          "cause": string;
          "detail": string | null;
          "device_id": number;
          "epoch": number;
          "first_recorded_at": string | null;
          "first_seq": number;
          "last_recorded_at": string | null;
          "last_seq": number;
          "lost_device_id": number;
          "lost_epoch": number;
          "quality": number;
          "received_at": string;
          "recorded_at": string;
          "seq": number;
          "time_quality": number;
        };
        ComputedFields: never;
        Insert: {
          "cause": string;
          "detail"?: string | null;
          "device_id": number;
          "epoch": number;
          "first_recorded_at"?: string | null;
          "first_seq": number;
          "last_recorded_at"?: string | null;
          "last_seq": number;
          "lost_device_id": number;
          "lost_epoch": number;
          "quality": number;
          "received_at"?: string;
          "recorded_at": string;
          "seq": number;
          "time_quality": number;
        };
        Update: {
          "cause"?: string;
          "detail"?: string | null;
          "device_id"?: number;
          "epoch"?: number;
          "first_recorded_at"?: string | null;
          "first_seq"?: number;
          "last_recorded_at"?: string | null;
          "last_seq"?: number;
          "lost_device_id"?: number;
          "lost_epoch"?: number;
          "quality"?: number;
          "received_at"?: string;
          "recorded_at"?: string;
          "seq"?: number;
          "time_quality"?: number;
        };
        Relationships: [];
      };
      "profiles": {
        Row: {
          "created_at": string;
          "display_name": string | null;
          "email": string | null;
          "id": string;
          "is_active": boolean;
          "role": Database["public"]["Enums"]["user_role"];
          "tenant_id": number | null;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "display_name"?: string | null;
          "email"?: string | null;
          "id": string;
          "is_active"?: boolean;
          "role"?: Database["public"]["Enums"]["user_role"];
          "tenant_id"?: number | null;
        };
        Update: {
          "created_at"?: string;
          "display_name"?: string | null;
          "email"?: string | null;
          "id"?: string;
          "is_active"?: boolean;
          "role"?: Database["public"]["Enums"]["user_role"];
          "tenant_id"?: number | null;
        };
        Relationships: [
          {
            foreignKeyName: "profiles_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "sites": {
        Row: {
          "created_at": string;
          "id": number;
          "latitude": number | null;
          "longitude": number | null;
          "name": string;
          "tenant_id": number;
          "time_zone": string;
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "id"?: number;
          "latitude"?: number | null;
          "longitude"?: number | null;
          "name": string;
          "tenant_id": number;
          "time_zone"?: string;
        };
        Update: {
          "created_at"?: string;
          "id"?: number;
          "latitude"?: number | null;
          "longitude"?: number | null;
          "name"?: string;
          "tenant_id"?: number;
          "time_zone"?: string;
        };
        Relationships: [
          {
            foreignKeyName: "sites_tenant_id_fkey";
            columns: ["tenant_id"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id"];
          },
        ];
      };
      "telemetry_deep": {
        Row: {
          "device_id": number;
          "dynamic_water_level_m": number | null;
          "epoch": number;
          "pump_current_a": number | null;
          "pump_frequency_hz": number | null;
          "pump_power_w": number | null;
          "pump_speed_rpm": number | null;
          "pump_status": number | null;
          "quality": number;
          "received_at": string;
          "recorded_at": string;
          "seq": number;
          "static_water_level_m": number | null;
          "status_code": number | null;
          "time_quality": number;
        };
        ComputedFields: never;
        Insert: {
          "device_id": number;
          "dynamic_water_level_m"?: number | null;
          "epoch": number;
          "pump_current_a"?: number | null;
          "pump_frequency_hz"?: number | null;
          "pump_power_w"?: number | null;
          "pump_speed_rpm"?: number | null;
          "pump_status"?: number | null;
          "quality": number;
          "received_at"?: string;
          "recorded_at": string;
          "seq": number;
          "static_water_level_m"?: number | null;
          "status_code"?: number | null;
          "time_quality": number;
        };
        Update: {
          "device_id"?: number;
          "dynamic_water_level_m"?: number | null;
          "epoch"?: number;
          "pump_current_a"?: number | null;
          "pump_frequency_hz"?: number | null;
          "pump_power_w"?: number | null;
          "pump_speed_rpm"?: number | null;
          "pump_status"?: number | null;
          "quality"?: number;
          "received_at"?: string;
          "recorded_at"?: string;
          "seq"?: number;
          "static_water_level_m"?: number | null;
          "status_code"?: number | null;
          "time_quality"?: number;
        };
        Relationships: [];
      };
      "telemetry_deep_daily": {
        Row: {
          "bucket_at": string;
          "device_id": number;
          "dynamic_water_level_m_count": number;
          "dynamic_water_level_m_max": number | null;
          "dynamic_water_level_m_mean": number | null;
          "dynamic_water_level_m_min": number | null;
          "pump_current_a_count": number;
          "pump_current_a_max": number | null;
          "pump_current_a_mean": number | null;
          "pump_current_a_min": number | null;
          "pump_frequency_hz_count": number;
          "pump_frequency_hz_max": number | null;
          "pump_frequency_hz_mean": number | null;
          "pump_frequency_hz_min": number | null;
          "pump_power_w_count": number;
          "pump_power_w_max": number | null;
          "pump_power_w_mean": number | null;
          "pump_power_w_min": number | null;
          "pump_speed_rpm_count": number;
          "pump_speed_rpm_max": number | null;
          "pump_speed_rpm_mean": number | null;
          "pump_speed_rpm_min": number | null;
          "pump_status_count": number;
          "pump_status_max": number | null;
          "pump_status_mean": number | null;
          "pump_status_min": number | null;
          "readings": number;
          "static_water_level_m_count": number;
          "static_water_level_m_max": number | null;
          "static_water_level_m_mean": number | null;
          "static_water_level_m_min": number | null;
          "status_code_count": number;
          "status_code_max": number | null;
          "status_code_mean": number | null;
          "status_code_min": number | null;
        };
        ComputedFields: never;
        Insert: {
          "bucket_at": string;
          "device_id": number;
          "dynamic_water_level_m_count"?: number;
          "dynamic_water_level_m_max"?: number | null;
          "dynamic_water_level_m_mean"?: number | null;
          "dynamic_water_level_m_min"?: number | null;
          "pump_current_a_count"?: number;
          "pump_current_a_max"?: number | null;
          "pump_current_a_mean"?: number | null;
          "pump_current_a_min"?: number | null;
          "pump_frequency_hz_count"?: number;
          "pump_frequency_hz_max"?: number | null;
          "pump_frequency_hz_mean"?: number | null;
          "pump_frequency_hz_min"?: number | null;
          "pump_power_w_count"?: number;
          "pump_power_w_max"?: number | null;
          "pump_power_w_mean"?: number | null;
          "pump_power_w_min"?: number | null;
          "pump_speed_rpm_count"?: number;
          "pump_speed_rpm_max"?: number | null;
          "pump_speed_rpm_mean"?: number | null;
          "pump_speed_rpm_min"?: number | null;
          "pump_status_count"?: number;
          "pump_status_max"?: number | null;
          "pump_status_mean"?: number | null;
          "pump_status_min"?: number | null;
          "readings"?: number;
          "static_water_level_m_count"?: number;
          "static_water_level_m_max"?: number | null;
          "static_water_level_m_mean"?: number | null;
          "static_water_level_m_min"?: number | null;
          "status_code_count"?: number;
          "status_code_max"?: number | null;
          "status_code_mean"?: number | null;
          "status_code_min"?: number | null;
        };
        Update: {
          "bucket_at"?: string;
          "device_id"?: number;
          "dynamic_water_level_m_count"?: number;
          "dynamic_water_level_m_max"?: number | null;
          "dynamic_water_level_m_mean"?: number | null;
          "dynamic_water_level_m_min"?: number | null;
          "pump_current_a_count"?: number;
          "pump_current_a_max"?: number | null;
          "pump_current_a_mean"?: number | null;
          "pump_current_a_min"?: number | null;
          "pump_frequency_hz_count"?: number;
          "pump_frequency_hz_max"?: number | null;
          "pump_frequency_hz_mean"?: number | null;
          "pump_frequency_hz_min"?: number | null;
          "pump_power_w_count"?: number;
          "pump_power_w_max"?: number | null;
          "pump_power_w_mean"?: number | null;
          "pump_power_w_min"?: number | null;
          "pump_speed_rpm_count"?: number;
          "pump_speed_rpm_max"?: number | null;
          "pump_speed_rpm_mean"?: number | null;
          "pump_speed_rpm_min"?: number | null;
          "pump_status_count"?: number;
          "pump_status_max"?: number | null;
          "pump_status_mean"?: number | null;
          "pump_status_min"?: number | null;
          "readings"?: number;
          "static_water_level_m_count"?: number;
          "static_water_level_m_max"?: number | null;
          "static_water_level_m_mean"?: number | null;
          "static_water_level_m_min"?: number | null;
          "status_code_count"?: number;
          "status_code_max"?: number | null;
          "status_code_mean"?: number | null;
          "status_code_min"?: number | null;
        };
        Relationships: [];
      };
      "telemetry_deep_hourly": {
        Row: {
          "bucket_at": string;
          "device_id": number;
          "dynamic_water_level_m_count": number;
          "dynamic_water_level_m_max": number | null;
          "dynamic_water_level_m_mean": number | null;
          "dynamic_water_level_m_min": number | null;
          "pump_current_a_count": number;
          "pump_current_a_max": number | null;
          "pump_current_a_mean": number | null;
          "pump_current_a_min": number | null;
          "pump_frequency_hz_count": number;
          "pump_frequency_hz_max": number | null;
          "pump_frequency_hz_mean": number | null;
          "pump_frequency_hz_min": number | null;
          "pump_power_w_count": number;
          "pump_power_w_max": number | null;
          "pump_power_w_mean": number | null;
          "pump_power_w_min": number | null;
          "pump_speed_rpm_count": number;
          "pump_speed_rpm_max": number | null;
          "pump_speed_rpm_mean": number | null;
          "pump_speed_rpm_min": number | null;
          "pump_status_count": number;
          "pump_status_max": number | null;
          "pump_status_mean": number | null;
          "pump_status_min": number | null;
          "readings": number;
          "static_water_level_m_count": number;
          "static_water_level_m_max": number | null;
          "static_water_level_m_mean": number | null;
          "static_water_level_m_min": number | null;
          "status_code_count": number;
          "status_code_max": number | null;
          "status_code_mean": number | null;
          "status_code_min": number | null;
        };
        ComputedFields: never;
        Insert: {
          "bucket_at": string;
          "device_id": number;
          "dynamic_water_level_m_count"?: number;
          "dynamic_water_level_m_max"?: number | null;
          "dynamic_water_level_m_mean"?: number | null;
          "dynamic_water_level_m_min"?: number | null;
          "pump_current_a_count"?: number;
          "pump_current_a_max"?: number | null;
          "pump_current_a_mean"?: number | null;
          "pump_current_a_min"?: number | null;
          "pump_frequency_hz_count"?: number;
          "pump_frequency_hz_max"?: number | null;
          "pump_frequency_hz_mean"?: number | null;
          "pump_frequency_hz_min"?: number | null;
          "pump_power_w_count"?: number;
          "pump_power_w_max"?: number | null;
          "pump_power_w_mean"?: number | null;
          "pump_power_w_min"?: number | null;
          "pump_speed_rpm_count"?: number;
          "pump_speed_rpm_max"?: number | null;
          "pump_speed_rpm_mean"?: number | null;
          "pump_speed_rpm_min"?: number | null;
          "pump_status_count"?: number;
          "pump_status_max"?: number | null;
          "pump_status_mean"?: number | null;
          "pump_status_min"?: number | null;
          "readings"?: number;
          "static_water_level_m_count"?: number;
          "static_water_level_m_max"?: number | null;
          "static_water_level_m_mean"?: number | null;
          "static_water_level_m_min"?: number | null;
          "status_code_count"?: number;
          "status_code_max"?: number | null;
          "status_code_mean"?: number | null;
          "status_code_min"?: number | null;
        };
        Update: {
          "bucket_at"?: string;
          "device_id"?: number;
          "dynamic_water_level_m_count"?: number;
          "dynamic_water_level_m_max"?: number | null;
          "dynamic_water_level_m_mean"?: number | null;
          "dynamic_water_level_m_min"?: number | null;
          "pump_current_a_count"?: number;
          "pump_current_a_max"?: number | null;
          "pump_current_a_mean"?: number | null;
          "pump_current_a_min"?: number | null;
          "pump_frequency_hz_count"?: number;
          "pump_frequency_hz_max"?: number | null;
          "pump_frequency_hz_mean"?: number | null;
          "pump_frequency_hz_min"?: number | null;
          "pump_power_w_count"?: number;
          "pump_power_w_max"?: number | null;
          "pump_power_w_mean"?: number | null;
          "pump_power_w_min"?: number | null;
          "pump_speed_rpm_count"?: number;
          "pump_speed_rpm_max"?: number | null;
          "pump_speed_rpm_mean"?: number | null;
          "pump_speed_rpm_min"?: number | null;
          "pump_status_count"?: number;
          "pump_status_max"?: number | null;
          "pump_status_mean"?: number | null;
          "pump_status_min"?: number | null;
          "readings"?: number;
          "static_water_level_m_count"?: number;
          "static_water_level_m_max"?: number | null;
          "static_water_level_m_mean"?: number | null;
          "static_water_level_m_min"?: number | null;
          "status_code_count"?: number;
          "status_code_max"?: number | null;
          "status_code_mean"?: number | null;
          "status_code_min"?: number | null;
        };
        Relationships: [];
      };
      "telemetry_environment": {
        Row: {
          "chlorine_mg_l": number | null;
          "conductivity_us_cm": number | null;
          "device_id": number;
          "dissolved_oxygen_mg_l": number | null;
          "epoch": number;
          "humidity_percent": number | null;
          "ph": number | null;
          "pressure_hpa": number | null;
          "quality": number;
          "received_at": string;
          "recorded_at": string;
          "redox_mv": number | null;
          "seq": number;
          "temperature_c": number | null;
          "time_quality": number;
          "turbidity_ntu": number | null;
        };
        ComputedFields: never;
        Insert: {
          "chlorine_mg_l"?: number | null;
          "conductivity_us_cm"?: number | null;
          "device_id": number;
          "dissolved_oxygen_mg_l"?: number | null;
          "epoch": number;
          "humidity_percent"?: number | null;
          "ph"?: number | null;
          "pressure_hpa"?: number | null;
          "quality": number;
          "received_at"?: string;
          "recorded_at": string;
          "redox_mv"?: number | null;
          "seq": number;
          "temperature_c"?: number | null;
          "time_quality": number;
          "turbidity_ntu"?: number | null;
        };
        Update: {
          "chlorine_mg_l"?: number | null;
          "conductivity_us_cm"?: number | null;
          "device_id"?: number;
          "dissolved_oxygen_mg_l"?: number | null;
          "epoch"?: number;
          "humidity_percent"?: number | null;
          "ph"?: number | null;
          "pressure_hpa"?: number | null;
          "quality"?: number;
          "received_at"?: string;
          "recorded_at"?: string;
          "redox_mv"?: number | null;
          "seq"?: number;
          "temperature_c"?: number | null;
          "time_quality"?: number;
          "turbidity_ntu"?: number | null;
        };
        Relationships: [];
      };
      "telemetry_environment_daily": {
        Row: {
          "bucket_at": string;
          "chlorine_mg_l_count": number;
          "chlorine_mg_l_max": number | null;
          "chlorine_mg_l_mean": number | null;
          "chlorine_mg_l_min": number | null;
          "conductivity_us_cm_count": number;
          "conductivity_us_cm_max": number | null;
          "conductivity_us_cm_mean": number | null;
          "conductivity_us_cm_min": number | null;
          "device_id": number;
          "dissolved_oxygen_mg_l_count": number;
          "dissolved_oxygen_mg_l_max": number | null;
          "dissolved_oxygen_mg_l_mean": number | null;
          "dissolved_oxygen_mg_l_min": number | null;
          "humidity_percent_count": number;
          "humidity_percent_max": number | null;
          "humidity_percent_mean": number | null;
          "humidity_percent_min": number | null;
          "ph_count": number;
          "ph_max": number | null;
          "ph_mean": number | null;
          "ph_min": number | null;
          "pressure_hpa_count": number;
          "pressure_hpa_max": number | null;
          "pressure_hpa_mean": number | null;
          "pressure_hpa_min": number | null;
          "readings": number;
          "redox_mv_count": number;
          "redox_mv_max": number | null;
          "redox_mv_mean": number | null;
          "redox_mv_min": number | null;
          "temperature_c_count": number;
          "temperature_c_max": number | null;
          "temperature_c_mean": number | null;
          "temperature_c_min": number | null;
          "turbidity_ntu_count": number;
          "turbidity_ntu_max": number | null;
          "turbidity_ntu_mean": number | null;
          "turbidity_ntu_min": number | null;
        };
        ComputedFields: never;
        Insert: {
          "bucket_at": string;
          "chlorine_mg_l_count"?: number;
          "chlorine_mg_l_max"?: number | null;
          "chlorine_mg_l_mean"?: number | null;
          "chlorine_mg_l_min"?: number | null;
          "conductivity_us_cm_count"?: number;
          "conductivity_us_cm_max"?: number | null;
          "conductivity_us_cm_mean"?: number | null;
          "conductivity_us_cm_min"?: number | null;
          "device_id": number;
          "dissolved_oxygen_mg_l_count"?: number;
          "dissolved_oxygen_mg_l_max"?: number | null;
          "dissolved_oxygen_mg_l_mean"?: number | null;
          "dissolved_oxygen_mg_l_min"?: number | null;
          "humidity_percent_count"?: number;
          "humidity_percent_max"?: number | null;
          "humidity_percent_mean"?: number | null;
          "humidity_percent_min"?: number | null;
          "ph_count"?: number;
          "ph_max"?: number | null;
          "ph_mean"?: number | null;
          "ph_min"?: number | null;
          "pressure_hpa_count"?: number;
          "pressure_hpa_max"?: number | null;
          "pressure_hpa_mean"?: number | null;
          "pressure_hpa_min"?: number | null;
          "readings"?: number;
          "redox_mv_count"?: number;
          "redox_mv_max"?: number | null;
          "redox_mv_mean"?: number | null;
          "redox_mv_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
          "turbidity_ntu_count"?: number;
          "turbidity_ntu_max"?: number | null;
          "turbidity_ntu_mean"?: number | null;
          "turbidity_ntu_min"?: number | null;
        };
        Update: {
          "bucket_at"?: string;
          "chlorine_mg_l_count"?: number;
          "chlorine_mg_l_max"?: number | null;
          "chlorine_mg_l_mean"?: number | null;
          "chlorine_mg_l_min"?: number | null;
          "conductivity_us_cm_count"?: number;
          "conductivity_us_cm_max"?: number | null;
          "conductivity_us_cm_mean"?: number | null;
          "conductivity_us_cm_min"?: number | null;
          "device_id"?: number;
          "dissolved_oxygen_mg_l_count"?: number;
          "dissolved_oxygen_mg_l_max"?: number | null;
          "dissolved_oxygen_mg_l_mean"?: number | null;
          "dissolved_oxygen_mg_l_min"?: number | null;
          "humidity_percent_count"?: number;
          "humidity_percent_max"?: number | null;
          "humidity_percent_mean"?: number | null;
          "humidity_percent_min"?: number | null;
          "ph_count"?: number;
          "ph_max"?: number | null;
          "ph_mean"?: number | null;
          "ph_min"?: number | null;
          "pressure_hpa_count"?: number;
          "pressure_hpa_max"?: number | null;
          "pressure_hpa_mean"?: number | null;
          "pressure_hpa_min"?: number | null;
          "readings"?: number;
          "redox_mv_count"?: number;
          "redox_mv_max"?: number | null;
          "redox_mv_mean"?: number | null;
          "redox_mv_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
          "turbidity_ntu_count"?: number;
          "turbidity_ntu_max"?: number | null;
          "turbidity_ntu_mean"?: number | null;
          "turbidity_ntu_min"?: number | null;
        };
        Relationships: [];
      };
      "telemetry_environment_hourly": {
        Row: {
          "bucket_at": string;
          "chlorine_mg_l_count": number;
          "chlorine_mg_l_max": number | null;
          "chlorine_mg_l_mean": number | null;
          "chlorine_mg_l_min": number | null;
          "conductivity_us_cm_count": number;
          "conductivity_us_cm_max": number | null;
          "conductivity_us_cm_mean": number | null;
          "conductivity_us_cm_min": number | null;
          "device_id": number;
          "dissolved_oxygen_mg_l_count": number;
          "dissolved_oxygen_mg_l_max": number | null;
          "dissolved_oxygen_mg_l_mean": number | null;
          "dissolved_oxygen_mg_l_min": number | null;
          "humidity_percent_count": number;
          "humidity_percent_max": number | null;
          "humidity_percent_mean": number | null;
          "humidity_percent_min": number | null;
          "ph_count": number;
          "ph_max": number | null;
          "ph_mean": number | null;
          "ph_min": number | null;
          "pressure_hpa_count": number;
          "pressure_hpa_max": number | null;
          "pressure_hpa_mean": number | null;
          "pressure_hpa_min": number | null;
          "readings": number;
          "redox_mv_count": number;
          "redox_mv_max": number | null;
          "redox_mv_mean": number | null;
          "redox_mv_min": number | null;
          "temperature_c_count": number;
          "temperature_c_max": number | null;
          "temperature_c_mean": number | null;
          "temperature_c_min": number | null;
          "turbidity_ntu_count": number;
          "turbidity_ntu_max": number | null;
          "turbidity_ntu_mean": number | null;
          "turbidity_ntu_min": number | null;
        };
        ComputedFields: never;
        Insert: {
          "bucket_at": string;
          "chlorine_mg_l_count"?: number;
          "chlorine_mg_l_max"?: number | null;
          "chlorine_mg_l_mean"?: number | null;
          "chlorine_mg_l_min"?: number | null;
          "conductivity_us_cm_count"?: number;
          "conductivity_us_cm_max"?: number | null;
          "conductivity_us_cm_mean"?: number | null;
          "conductivity_us_cm_min"?: number | null;
          "device_id": number;
          "dissolved_oxygen_mg_l_count"?: number;
          "dissolved_oxygen_mg_l_max"?: number | null;
          "dissolved_oxygen_mg_l_mean"?: number | null;
          "dissolved_oxygen_mg_l_min"?: number | null;
          "humidity_percent_count"?: number;
          "humidity_percent_max"?: number | null;
          "humidity_percent_mean"?: number | null;
          "humidity_percent_min"?: number | null;
          "ph_count"?: number;
          "ph_max"?: number | null;
          "ph_mean"?: number | null;
          "ph_min"?: number | null;
          "pressure_hpa_count"?: number;
          "pressure_hpa_max"?: number | null;
          "pressure_hpa_mean"?: number | null;
          "pressure_hpa_min"?: number | null;
          "readings"?: number;
          "redox_mv_count"?: number;
          "redox_mv_max"?: number | null;
          "redox_mv_mean"?: number | null;
          "redox_mv_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
          "turbidity_ntu_count"?: number;
          "turbidity_ntu_max"?: number | null;
          "turbidity_ntu_mean"?: number | null;
          "turbidity_ntu_min"?: number | null;
        };
        Update: {
          "bucket_at"?: string;
          "chlorine_mg_l_count"?: number;
          "chlorine_mg_l_max"?: number | null;
          "chlorine_mg_l_mean"?: number | null;
          "chlorine_mg_l_min"?: number | null;
          "conductivity_us_cm_count"?: number;
          "conductivity_us_cm_max"?: number | null;
          "conductivity_us_cm_mean"?: number | null;
          "conductivity_us_cm_min"?: number | null;
          "device_id"?: number;
          "dissolved_oxygen_mg_l_count"?: number;
          "dissolved_oxygen_mg_l_max"?: number | null;
          "dissolved_oxygen_mg_l_mean"?: number | null;
          "dissolved_oxygen_mg_l_min"?: number | null;
          "humidity_percent_count"?: number;
          "humidity_percent_max"?: number | null;
          "humidity_percent_mean"?: number | null;
          "humidity_percent_min"?: number | null;
          "ph_count"?: number;
          "ph_max"?: number | null;
          "ph_mean"?: number | null;
          "ph_min"?: number | null;
          "pressure_hpa_count"?: number;
          "pressure_hpa_max"?: number | null;
          "pressure_hpa_mean"?: number | null;
          "pressure_hpa_min"?: number | null;
          "readings"?: number;
          "redox_mv_count"?: number;
          "redox_mv_max"?: number | null;
          "redox_mv_mean"?: number | null;
          "redox_mv_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
          "turbidity_ntu_count"?: number;
          "turbidity_ntu_max"?: number | null;
          "turbidity_ntu_mean"?: number | null;
          "turbidity_ntu_min"?: number | null;
        };
        Relationships: [];
      };
      "telemetry_flow": {
        Row: {
          "battery_v": number | null;
          "cumulative_volume_l": number | null;
          "device_id": number;
          "epoch": number;
          "flow_rate_lpm": number | null;
          "pressure_bar": number | null;
          "quality": number;
          "received_at": string;
          "recorded_at": string;
          "seq": number;
          "status_code": number | null;
          "temperature_c": number | null;
          "time_quality": number;
        };
        ComputedFields: never;
        Insert: {
          "battery_v"?: number | null;
          "cumulative_volume_l"?: number | null;
          "device_id": number;
          "epoch": number;
          "flow_rate_lpm"?: number | null;
          "pressure_bar"?: number | null;
          "quality": number;
          "received_at"?: string;
          "recorded_at": string;
          "seq": number;
          "status_code"?: number | null;
          "temperature_c"?: number | null;
          "time_quality": number;
        };
        Update: {
          "battery_v"?: number | null;
          "cumulative_volume_l"?: number | null;
          "device_id"?: number;
          "epoch"?: number;
          "flow_rate_lpm"?: number | null;
          "pressure_bar"?: number | null;
          "quality"?: number;
          "received_at"?: string;
          "recorded_at"?: string;
          "seq"?: number;
          "status_code"?: number | null;
          "temperature_c"?: number | null;
          "time_quality"?: number;
        };
        Relationships: [];
      };
      "telemetry_flow_daily": {
        Row: {
          "battery_v_count": number;
          "battery_v_max": number | null;
          "battery_v_mean": number | null;
          "battery_v_min": number | null;
          "bucket_at": string;
          "cumulative_volume_l_count": number;
          "cumulative_volume_l_max": number | null;
          "cumulative_volume_l_mean": number | null;
          "cumulative_volume_l_min": number | null;
          "device_id": number;
          "flow_rate_lpm_count": number;
          "flow_rate_lpm_max": number | null;
          "flow_rate_lpm_mean": number | null;
          "flow_rate_lpm_min": number | null;
          "pressure_bar_count": number;
          "pressure_bar_max": number | null;
          "pressure_bar_mean": number | null;
          "pressure_bar_min": number | null;
          "readings": number;
          "status_code_count": number;
          "status_code_max": number | null;
          "status_code_mean": number | null;
          "status_code_min": number | null;
          "temperature_c_count": number;
          "temperature_c_max": number | null;
          "temperature_c_mean": number | null;
          "temperature_c_min": number | null;
        };
        ComputedFields: never;
        Insert: {
          "battery_v_count"?: number;
          "battery_v_max"?: number | null;
          "battery_v_mean"?: number | null;
          "battery_v_min"?: number | null;
          "bucket_at": string;
          "cumulative_volume_l_count"?: number;
          "cumulative_volume_l_max"?: number | null;
          "cumulative_volume_l_mean"?: number | null;
          "cumulative_volume_l_min"?: number | null;
          "device_id": number;
          "flow_rate_lpm_count"?: number;
          "flow_rate_lpm_max"?: number | null;
          "flow_rate_lpm_mean"?: number | null;
          "flow_rate_lpm_min"?: number | null;
          "pressure_bar_count"?: number;
          "pressure_bar_max"?: number | null;
          "pressure_bar_mean"?: number | null;
          "pressure_bar_min"?: number | null;
          "readings"?: number;
          "status_code_count"?: number;
          "status_code_max"?: number | null;
          "status_code_mean"?: number | null;
          "status_code_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
        };
        Update: {
          "battery_v_count"?: number;
          "battery_v_max"?: number | null;
          "battery_v_mean"?: number | null;
          "battery_v_min"?: number | null;
          "bucket_at"?: string;
          "cumulative_volume_l_count"?: number;
          "cumulative_volume_l_max"?: number | null;
          "cumulative_volume_l_mean"?: number | null;
          "cumulative_volume_l_min"?: number | null;
          "device_id"?: number;
          "flow_rate_lpm_count"?: number;
          "flow_rate_lpm_max"?: number | null;
          "flow_rate_lpm_mean"?: number | null;
          "flow_rate_lpm_min"?: number | null;
          "pressure_bar_count"?: number;
          "pressure_bar_max"?: number | null;
          "pressure_bar_mean"?: number | null;
          "pressure_bar_min"?: number | null;
          "readings"?: number;
          "status_code_count"?: number;
          "status_code_max"?: number | null;
          "status_code_mean"?: number | null;
          "status_code_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
        };
        Relationships: [];
      };
      "telemetry_flow_hourly": {
        Row: {
          "battery_v_count": number;
          "battery_v_max": number | null;
          "battery_v_mean": number | null;
          "battery_v_min": number | null;
          "bucket_at": string;
          "cumulative_volume_l_count": number;
          "cumulative_volume_l_max": number | null;
          "cumulative_volume_l_mean": number | null;
          "cumulative_volume_l_min": number | null;
          "device_id": number;
          "flow_rate_lpm_count": number;
          "flow_rate_lpm_max": number | null;
          "flow_rate_lpm_mean": number | null;
          "flow_rate_lpm_min": number | null;
          "pressure_bar_count": number;
          "pressure_bar_max": number | null;
          "pressure_bar_mean": number | null;
          "pressure_bar_min": number | null;
          "readings": number;
          "status_code_count": number;
          "status_code_max": number | null;
          "status_code_mean": number | null;
          "status_code_min": number | null;
          "temperature_c_count": number;
          "temperature_c_max": number | null;
          "temperature_c_mean": number | null;
          "temperature_c_min": number | null;
        };
        ComputedFields: never;
        Insert: {
          "battery_v_count"?: number;
          "battery_v_max"?: number | null;
          "battery_v_mean"?: number | null;
          "battery_v_min"?: number | null;
          "bucket_at": string;
          "cumulative_volume_l_count"?: number;
          "cumulative_volume_l_max"?: number | null;
          "cumulative_volume_l_mean"?: number | null;
          "cumulative_volume_l_min"?: number | null;
          "device_id": number;
          "flow_rate_lpm_count"?: number;
          "flow_rate_lpm_max"?: number | null;
          "flow_rate_lpm_mean"?: number | null;
          "flow_rate_lpm_min"?: number | null;
          "pressure_bar_count"?: number;
          "pressure_bar_max"?: number | null;
          "pressure_bar_mean"?: number | null;
          "pressure_bar_min"?: number | null;
          "readings"?: number;
          "status_code_count"?: number;
          "status_code_max"?: number | null;
          "status_code_mean"?: number | null;
          "status_code_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
        };
        Update: {
          "battery_v_count"?: number;
          "battery_v_max"?: number | null;
          "battery_v_mean"?: number | null;
          "battery_v_min"?: number | null;
          "bucket_at"?: string;
          "cumulative_volume_l_count"?: number;
          "cumulative_volume_l_max"?: number | null;
          "cumulative_volume_l_mean"?: number | null;
          "cumulative_volume_l_min"?: number | null;
          "device_id"?: number;
          "flow_rate_lpm_count"?: number;
          "flow_rate_lpm_max"?: number | null;
          "flow_rate_lpm_mean"?: number | null;
          "flow_rate_lpm_min"?: number | null;
          "pressure_bar_count"?: number;
          "pressure_bar_max"?: number | null;
          "pressure_bar_mean"?: number | null;
          "pressure_bar_min"?: number | null;
          "readings"?: number;
          "status_code_count"?: number;
          "status_code_max"?: number | null;
          "status_code_mean"?: number | null;
          "status_code_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
        };
        Relationships: [];
      };
      "telemetry_footfall": {
        Row: {
          "device_id": number;
          "entries": number | null;
          "epoch": number;
          "exits": number | null;
          "occupancy": number | null;
          "quality": number;
          "received_at": string;
          "recorded_at": string;
          "seq": number;
          "time_quality": number;
        };
        ComputedFields: never;
        Insert: {
          "device_id": number;
          "entries"?: number | null;
          "epoch": number;
          "exits"?: number | null;
          "occupancy"?: number | null;
          "quality": number;
          "received_at"?: string;
          "recorded_at": string;
          "seq": number;
          "time_quality": number;
        };
        Update: {
          "device_id"?: number;
          "entries"?: number | null;
          "epoch"?: number;
          "exits"?: number | null;
          "occupancy"?: number | null;
          "quality"?: number;
          "received_at"?: string;
          "recorded_at"?: string;
          "seq"?: number;
          "time_quality"?: number;
        };
        Relationships: [];
      };
      "telemetry_footfall_daily": {
        Row: {
          "bucket_at": string;
          "device_id": number;
          "entries_count": number;
          "entries_max": number | null;
          "entries_mean": number | null;
          "entries_min": number | null;
          "exits_count": number;
          "exits_max": number | null;
          "exits_mean": number | null;
          "exits_min": number | null;
          "occupancy_count": number;
          "occupancy_max": number | null;
          "occupancy_mean": number | null;
          "occupancy_min": number | null;
          "readings": number;
        };
        ComputedFields: never;
        Insert: {
          "bucket_at": string;
          "device_id": number;
          "entries_count"?: number;
          "entries_max"?: number | null;
          "entries_mean"?: number | null;
          "entries_min"?: number | null;
          "exits_count"?: number;
          "exits_max"?: number | null;
          "exits_mean"?: number | null;
          "exits_min"?: number | null;
          "occupancy_count"?: number;
          "occupancy_max"?: number | null;
          "occupancy_mean"?: number | null;
          "occupancy_min"?: number | null;
          "readings"?: number;
        };
        Update: {
          "bucket_at"?: string;
          "device_id"?: number;
          "entries_count"?: number;
          "entries_max"?: number | null;
          "entries_mean"?: number | null;
          "entries_min"?: number | null;
          "exits_count"?: number;
          "exits_max"?: number | null;
          "exits_mean"?: number | null;
          "exits_min"?: number | null;
          "occupancy_count"?: number;
          "occupancy_max"?: number | null;
          "occupancy_mean"?: number | null;
          "occupancy_min"?: number | null;
          "readings"?: number;
        };
        Relationships: [];
      };
      "telemetry_footfall_hourly": {
        Row: {
          "bucket_at": string;
          "device_id": number;
          "entries_count": number;
          "entries_max": number | null;
          "entries_mean": number | null;
          "entries_min": number | null;
          "exits_count": number;
          "exits_max": number | null;
          "exits_mean": number | null;
          "exits_min": number | null;
          "occupancy_count": number;
          "occupancy_max": number | null;
          "occupancy_mean": number | null;
          "occupancy_min": number | null;
          "readings": number;
        };
        ComputedFields: never;
        Insert: {
          "bucket_at": string;
          "device_id": number;
          "entries_count"?: number;
          "entries_max"?: number | null;
          "entries_mean"?: number | null;
          "entries_min"?: number | null;
          "exits_count"?: number;
          "exits_max"?: number | null;
          "exits_mean"?: number | null;
          "exits_min"?: number | null;
          "occupancy_count"?: number;
          "occupancy_max"?: number | null;
          "occupancy_mean"?: number | null;
          "occupancy_min"?: number | null;
          "readings"?: number;
        };
        Update: {
          "bucket_at"?: string;
          "device_id"?: number;
          "entries_count"?: number;
          "entries_max"?: number | null;
          "entries_mean"?: number | null;
          "entries_min"?: number | null;
          "exits_count"?: number;
          "exits_max"?: number | null;
          "exits_mean"?: number | null;
          "exits_min"?: number | null;
          "occupancy_count"?: number;
          "occupancy_max"?: number | null;
          "occupancy_mean"?: number | null;
          "occupancy_min"?: number | null;
          "readings"?: number;
        };
        Relationships: [];
      };
      "telemetry_power": {
        Row: {
          "current_a": number | null;
          "device_id": number;
          "energy_kwh": number | null;
          "epoch": number;
          "frequency_hz": number | null;
          "power_factor": number | null;
          "power_w": number | null;
          "quality": number;
          "received_at": string;
          "recorded_at": string;
          "seq": number;
          "time_quality": number;
          "voltage_v": number | null;
        };
        ComputedFields: never;
        Insert: {
          "current_a"?: number | null;
          "device_id": number;
          "energy_kwh"?: number | null;
          "epoch": number;
          "frequency_hz"?: number | null;
          "power_factor"?: number | null;
          "power_w"?: number | null;
          "quality": number;
          "received_at"?: string;
          "recorded_at": string;
          "seq": number;
          "time_quality": number;
          "voltage_v"?: number | null;
        };
        Update: {
          "current_a"?: number | null;
          "device_id"?: number;
          "energy_kwh"?: number | null;
          "epoch"?: number;
          "frequency_hz"?: number | null;
          "power_factor"?: number | null;
          "power_w"?: number | null;
          "quality"?: number;
          "received_at"?: string;
          "recorded_at"?: string;
          "seq"?: number;
          "time_quality"?: number;
          "voltage_v"?: number | null;
        };
        Relationships: [];
      };
      "telemetry_power_daily": {
        Row: {
          "bucket_at": string;
          "current_a_count": number;
          "current_a_max": number | null;
          "current_a_mean": number | null;
          "current_a_min": number | null;
          "device_id": number;
          "energy_kwh_count": number;
          "energy_kwh_max": number | null;
          "energy_kwh_mean": number | null;
          "energy_kwh_min": number | null;
          "frequency_hz_count": number;
          "frequency_hz_max": number | null;
          "frequency_hz_mean": number | null;
          "frequency_hz_min": number | null;
          "power_factor_count": number;
          "power_factor_max": number | null;
          "power_factor_mean": number | null;
          "power_factor_min": number | null;
          "power_w_count": number;
          "power_w_max": number | null;
          "power_w_mean": number | null;
          "power_w_min": number | null;
          "readings": number;
          "voltage_v_count": number;
          "voltage_v_max": number | null;
          "voltage_v_mean": number | null;
          "voltage_v_min": number | null;
        };
        ComputedFields: never;
        Insert: {
          "bucket_at": string;
          "current_a_count"?: number;
          "current_a_max"?: number | null;
          "current_a_mean"?: number | null;
          "current_a_min"?: number | null;
          "device_id": number;
          "energy_kwh_count"?: number;
          "energy_kwh_max"?: number | null;
          "energy_kwh_mean"?: number | null;
          "energy_kwh_min"?: number | null;
          "frequency_hz_count"?: number;
          "frequency_hz_max"?: number | null;
          "frequency_hz_mean"?: number | null;
          "frequency_hz_min"?: number | null;
          "power_factor_count"?: number;
          "power_factor_max"?: number | null;
          "power_factor_mean"?: number | null;
          "power_factor_min"?: number | null;
          "power_w_count"?: number;
          "power_w_max"?: number | null;
          "power_w_mean"?: number | null;
          "power_w_min"?: number | null;
          "readings"?: number;
          "voltage_v_count"?: number;
          "voltage_v_max"?: number | null;
          "voltage_v_mean"?: number | null;
          "voltage_v_min"?: number | null;
        };
        Update: {
          "bucket_at"?: string;
          "current_a_count"?: number;
          "current_a_max"?: number | null;
          "current_a_mean"?: number | null;
          "current_a_min"?: number | null;
          "device_id"?: number;
          "energy_kwh_count"?: number;
          "energy_kwh_max"?: number | null;
          "energy_kwh_mean"?: number | null;
          "energy_kwh_min"?: number | null;
          "frequency_hz_count"?: number;
          "frequency_hz_max"?: number | null;
          "frequency_hz_mean"?: number | null;
          "frequency_hz_min"?: number | null;
          "power_factor_count"?: number;
          "power_factor_max"?: number | null;
          "power_factor_mean"?: number | null;
          "power_factor_min"?: number | null;
          "power_w_count"?: number;
          "power_w_max"?: number | null;
          "power_w_mean"?: number | null;
          "power_w_min"?: number | null;
          "readings"?: number;
          "voltage_v_count"?: number;
          "voltage_v_max"?: number | null;
          "voltage_v_mean"?: number | null;
          "voltage_v_min"?: number | null;
        };
        Relationships: [];
      };
      "telemetry_power_hourly": {
        Row: {
          "bucket_at": string;
          "current_a_count": number;
          "current_a_max": number | null;
          "current_a_mean": number | null;
          "current_a_min": number | null;
          "device_id": number;
          "energy_kwh_count": number;
          "energy_kwh_max": number | null;
          "energy_kwh_mean": number | null;
          "energy_kwh_min": number | null;
          "frequency_hz_count": number;
          "frequency_hz_max": number | null;
          "frequency_hz_mean": number | null;
          "frequency_hz_min": number | null;
          "power_factor_count": number;
          "power_factor_max": number | null;
          "power_factor_mean": number | null;
          "power_factor_min": number | null;
          "power_w_count": number;
          "power_w_max": number | null;
          "power_w_mean": number | null;
          "power_w_min": number | null;
          "readings": number;
          "voltage_v_count": number;
          "voltage_v_max": number | null;
          "voltage_v_mean": number | null;
          "voltage_v_min": number | null;
        };
        ComputedFields: never;
        Insert: {
          "bucket_at": string;
          "current_a_count"?: number;
          "current_a_max"?: number | null;
          "current_a_mean"?: number | null;
          "current_a_min"?: number | null;
          "device_id": number;
          "energy_kwh_count"?: number;
          "energy_kwh_max"?: number | null;
          "energy_kwh_mean"?: number | null;
          "energy_kwh_min"?: number | null;
          "frequency_hz_count"?: number;
          "frequency_hz_max"?: number | null;
          "frequency_hz_mean"?: number | null;
          "frequency_hz_min"?: number | null;
          "power_factor_count"?: number;
          "power_factor_max"?: number | null;
          "power_factor_mean"?: number | null;
          "power_factor_min"?: number | null;
          "power_w_count"?: number;
          "power_w_max"?: number | null;
          "power_w_mean"?: number | null;
          "power_w_min"?: number | null;
          "readings"?: number;
          "voltage_v_count"?: number;
          "voltage_v_max"?: number | null;
          "voltage_v_mean"?: number | null;
          "voltage_v_min"?: number | null;
        };
        Update: {
          "bucket_at"?: string;
          "current_a_count"?: number;
          "current_a_max"?: number | null;
          "current_a_mean"?: number | null;
          "current_a_min"?: number | null;
          "device_id"?: number;
          "energy_kwh_count"?: number;
          "energy_kwh_max"?: number | null;
          "energy_kwh_mean"?: number | null;
          "energy_kwh_min"?: number | null;
          "frequency_hz_count"?: number;
          "frequency_hz_max"?: number | null;
          "frequency_hz_mean"?: number | null;
          "frequency_hz_min"?: number | null;
          "power_factor_count"?: number;
          "power_factor_max"?: number | null;
          "power_factor_mean"?: number | null;
          "power_factor_min"?: number | null;
          "power_w_count"?: number;
          "power_w_max"?: number | null;
          "power_w_mean"?: number | null;
          "power_w_min"?: number | null;
          "readings"?: number;
          "voltage_v_count"?: number;
          "voltage_v_max"?: number | null;
          "voltage_v_mean"?: number | null;
          "voltage_v_min"?: number | null;
        };
        Relationships: [];
      };
      "telemetry_tank": {
        Row: {
          "battery_v": number | null;
          "device_id": number;
          "epoch": number;
          "ph": number | null;
          "quality": number;
          "received_at": string;
          "recorded_at": string;
          "seq": number;
          "tds_ppm": number | null;
          "temperature_c": number | null;
          "time_quality": number;
          "volume_l": number | null;
          "water_level_cm": number | null;
        };
        ComputedFields: never;
        Insert: {
          "battery_v"?: number | null;
          "device_id": number;
          "epoch": number;
          "ph"?: number | null;
          "quality": number;
          "received_at"?: string;
          "recorded_at": string;
          "seq": number;
          "tds_ppm"?: number | null;
          "temperature_c"?: number | null;
          "time_quality": number;
          "volume_l"?: number | null;
          "water_level_cm"?: number | null;
        };
        Update: {
          "battery_v"?: number | null;
          "device_id"?: number;
          "epoch"?: number;
          "ph"?: number | null;
          "quality"?: number;
          "received_at"?: string;
          "recorded_at"?: string;
          "seq"?: number;
          "tds_ppm"?: number | null;
          "temperature_c"?: number | null;
          "time_quality"?: number;
          "volume_l"?: number | null;
          "water_level_cm"?: number | null;
        };
        Relationships: [];
      };
      "telemetry_tank_daily": {
        Row: {
          "battery_v_count": number;
          "battery_v_max": number | null;
          "battery_v_mean": number | null;
          "battery_v_min": number | null;
          "bucket_at": string;
          "device_id": number;
          "ph_count": number;
          "ph_max": number | null;
          "ph_mean": number | null;
          "ph_min": number | null;
          "readings": number;
          "tds_ppm_count": number;
          "tds_ppm_max": number | null;
          "tds_ppm_mean": number | null;
          "tds_ppm_min": number | null;
          "temperature_c_count": number;
          "temperature_c_max": number | null;
          "temperature_c_mean": number | null;
          "temperature_c_min": number | null;
          "volume_l_count": number;
          "volume_l_max": number | null;
          "volume_l_mean": number | null;
          "volume_l_min": number | null;
          "water_level_cm_count": number;
          "water_level_cm_max": number | null;
          "water_level_cm_mean": number | null;
          "water_level_cm_min": number | null;
        };
        ComputedFields: never;
        Insert: {
          "battery_v_count"?: number;
          "battery_v_max"?: number | null;
          "battery_v_mean"?: number | null;
          "battery_v_min"?: number | null;
          "bucket_at": string;
          "device_id": number;
          "ph_count"?: number;
          "ph_max"?: number | null;
          "ph_mean"?: number | null;
          "ph_min"?: number | null;
          "readings"?: number;
          "tds_ppm_count"?: number;
          "tds_ppm_max"?: number | null;
          "tds_ppm_mean"?: number | null;
          "tds_ppm_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
          "volume_l_count"?: number;
          "volume_l_max"?: number | null;
          "volume_l_mean"?: number | null;
          "volume_l_min"?: number | null;
          "water_level_cm_count"?: number;
          "water_level_cm_max"?: number | null;
          "water_level_cm_mean"?: number | null;
          "water_level_cm_min"?: number | null;
        };
        Update: {
          "battery_v_count"?: number;
          "battery_v_max"?: number | null;
          "battery_v_mean"?: number | null;
          "battery_v_min"?: number | null;
          "bucket_at"?: string;
          "device_id"?: number;
          "ph_count"?: number;
          "ph_max"?: number | null;
          "ph_mean"?: number | null;
          "ph_min"?: number | null;
          "readings"?: number;
          "tds_ppm_count"?: number;
          "tds_ppm_max"?: number | null;
          "tds_ppm_mean"?: number | null;
          "tds_ppm_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
          "volume_l_count"?: number;
          "volume_l_max"?: number | null;
          "volume_l_mean"?: number | null;
          "volume_l_min"?: number | null;
          "water_level_cm_count"?: number;
          "water_level_cm_max"?: number | null;
          "water_level_cm_mean"?: number | null;
          "water_level_cm_min"?: number | null;
        };
        Relationships: [];
      };
      "telemetry_tank_hourly": {
        Row: {
          "battery_v_count": number;
          "battery_v_max": number | null;
          "battery_v_mean": number | null;
          "battery_v_min": number | null;
          "bucket_at": string;
          "device_id": number;
          "ph_count": number;
          "ph_max": number | null;
          "ph_mean": number | null;
          "ph_min": number | null;
          "readings": number;
          "tds_ppm_count": number;
          "tds_ppm_max": number | null;
          "tds_ppm_mean": number | null;
          "tds_ppm_min": number | null;
          "temperature_c_count": number;
          "temperature_c_max": number | null;
          "temperature_c_mean": number | null;
          "temperature_c_min": number | null;
          "volume_l_count": number;
          "volume_l_max": number | null;
          "volume_l_mean": number | null;
          "volume_l_min": number | null;
          "water_level_cm_count": number;
          "water_level_cm_max": number | null;
          "water_level_cm_mean": number | null;
          "water_level_cm_min": number | null;
        };
        ComputedFields: never;
        Insert: {
          "battery_v_count"?: number;
          "battery_v_max"?: number | null;
          "battery_v_mean"?: number | null;
          "battery_v_min"?: number | null;
          "bucket_at": string;
          "device_id": number;
          "ph_count"?: number;
          "ph_max"?: number | null;
          "ph_mean"?: number | null;
          "ph_min"?: number | null;
          "readings"?: number;
          "tds_ppm_count"?: number;
          "tds_ppm_max"?: number | null;
          "tds_ppm_mean"?: number | null;
          "tds_ppm_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
          "volume_l_count"?: number;
          "volume_l_max"?: number | null;
          "volume_l_mean"?: number | null;
          "volume_l_min"?: number | null;
          "water_level_cm_count"?: number;
          "water_level_cm_max"?: number | null;
          "water_level_cm_mean"?: number | null;
          "water_level_cm_min"?: number | null;
        };
        Update: {
          "battery_v_count"?: number;
          "battery_v_max"?: number | null;
          "battery_v_mean"?: number | null;
          "battery_v_min"?: number | null;
          "bucket_at"?: string;
          "device_id"?: number;
          "ph_count"?: number;
          "ph_max"?: number | null;
          "ph_mean"?: number | null;
          "ph_min"?: number | null;
          "readings"?: number;
          "tds_ppm_count"?: number;
          "tds_ppm_max"?: number | null;
          "tds_ppm_mean"?: number | null;
          "tds_ppm_min"?: number | null;
          "temperature_c_count"?: number;
          "temperature_c_max"?: number | null;
          "temperature_c_mean"?: number | null;
          "temperature_c_min"?: number | null;
          "volume_l_count"?: number;
          "volume_l_max"?: number | null;
          "volume_l_mean"?: number | null;
          "volume_l_min"?: number | null;
          "water_level_cm_count"?: number;
          "water_level_cm_max"?: number | null;
          "water_level_cm_mean"?: number | null;
          "water_level_cm_min"?: number | null;
        };
        Relationships: [];
      };
      "tenants": {
        Row: {
          "created_at": string;
          "id": number;
          "name": string;
          "parent_id": number | null;
          "parent_type": Database["public"]["Enums"]["tenant_type"] | null;
          "tenant_type": Database["public"]["Enums"]["tenant_type"];
        };
        ComputedFields: never;
        Insert: {
          "created_at"?: string;
          "id"?: number;
          "name": string;
          "parent_id"?: number | null;
          "parent_type"?: Database["public"]["Enums"]["tenant_type"] | null;
          "tenant_type": Database["public"]["Enums"]["tenant_type"];
        };
        Update: {
          "created_at"?: string;
          "id"?: number;
          "name"?: string;
          "parent_id"?: number | null;
          "parent_type"?: Database["public"]["Enums"]["tenant_type"] | null;
          "tenant_type"?: Database["public"]["Enums"]["tenant_type"];
        };
        Relationships: [
          {
            foreignKeyName: "tenants_parent_exists";
            columns: ["parent_id", "parent_type"];
            isOneToOne: false;
            referencedRelation: "tenants";
            referencedColumns: ["id", "tenant_type"];
          },
        ];
      };
    };
    Views: {
      "dashboard_summary": {
        Row: {
          "alerts_open": number | null;
          "devices_offline": number | null;
          "devices_online": number | null;
          "devices_pending": number | null;
          "devices_total": number | null;
          "last_received_at": string | null;
        };
        ComputedFields: never;
        Relationships: [];
      };
    };
    Functions: {
      "acknowledge_alert": {
        Args: { "alert_id": number; "note"?: string };
        Returns: {
          "acknowledged_at": string | null;
          "acknowledged_by": string | null;
          "alert_type": string;
          "cleared_at": string | null;
          "created_at": string;
          "details": NonNullable<Json>;
          "device_id": number | null;
          "id": number;
          "is_acknowledged": boolean;
          "is_active": boolean;
          "message": string;
          "raised_at": string;
          "recorded_at": string;
          "resolved_at": string | null;
          "resolved_by": string | null;
          "rule_id": number | null;
          "severity": Database["public"]["Enums"]["alert_severity"];
          "silenced_until": string | null;
          "threshold": number | null;
          "title": string;
          "value": number | null;
        };
        SetofOptions: {
          from: "*";
          to: "alerts";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "approve_command": {
        Args: { "command_id": number; "is_approved": boolean; "reason"?: string };
        Returns: {
          "args": NonNullable<Json>;
          "command_type": string;
          "created_at": string;
          "created_by": string;
          "device_id": number;
          "executing_at": string | null;
          "expires_at": string;
          "finished_at": string | null;
          "id": number;
          "idempotency_key": string | null;
          "is_approved": boolean | null;
          "is_dangerous": boolean;
          "resend_of": number | null;
          "sent_at": string | null;
          "status": Database["public"]["Enums"]["command_status"];
          "tenant_id": number;
          "time_limit_s": number;
        };
        SetofOptions: {
          from: "*";
          to: "device_commands";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "assign_role": {
        Args: { "email": string; "role": Database["public"]["Enums"]["user_role"]; "tenant_id": number };
        Returns: string;
      };
      "cancel_command": {
        Args: { "command_id": number };
        Returns: {
          "args": NonNullable<Json>;
          "command_type": string;
          "created_at": string;
          "created_by": string;
          "device_id": number;
          "executing_at": string | null;
          "expires_at": string;
          "finished_at": string | null;
          "id": number;
          "idempotency_key": string | null;
          "is_approved": boolean | null;
          "is_dangerous": boolean;
          "resend_of": number | null;
          "sent_at": string | null;
          "status": Database["public"]["Enums"]["command_status"];
          "tenant_id": number;
          "time_limit_s": number;
        };
        SetofOptions: {
          from: "*";
          to: "device_commands";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "claim_archive": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "archive_id": number;
          "from_at": string;
          "table_name": string;
          "to_at": string;
        }[];
      };
      "claim_audit_entries": {
        Args: { "batch_size"?: number };
        Returns: {
          "entry": Json;
          "leased_until": string;
        }[];
      };
      "claim_commands": {
        Args: { "batch_size"?: number };
        Returns: {
          "args": NonNullable<Json>;
          "command_type": string;
          "created_at": string;
          "created_by": string;
          "device_id": number;
          "executing_at": string | null;
          "expires_at": string;
          "finished_at": string | null;
          "id": number;
          "idempotency_key": string | null;
          "is_approved": boolean | null;
          "is_dangerous": boolean;
          "resend_of": number | null;
          "sent_at": string | null;
          "status": Database["public"]["Enums"]["command_status"];
          "tenant_id": number;
          "time_limit_s": number;
        }[];
        SetofOptions: {
          from: "*";
          to: "device_commands";
          isOneToOne: false;
          isSetofReturn: true;
        };
      };
      "claim_notifications": {
        Args: { "batch_size"?: number };
        Returns: {
          "address": string;
          "attempts": number;
          "body": string;
          "channel_type": string;
          "notification_id": number;
          "payload": Json;
          "severity": string;
          "title": string;
        }[];
      };
      "completeness": {
        Args: { "only_device_key"?: string };
        Returns: {
          "device_id": number;
          "device_key": string;
          "duplicates": number;
          "epoch": number;
          "first_seq": number;
          "last_seq": number;
          "rows_explained": number;
          "rows_stored": number;
          "rows_unexplained": number;
          "unexplained_gaps": number;
        }[];
      };
      "completeness_by_day": {
        Args: { "device_id": number; "from_day": string; "to_day": string };
        Returns: {
          "day": string;
          "duplicates": number;
          "rows_explained": number;
          "rows_stored": number;
          "rows_unexplained": number;
        }[];
      };
      "create_command": {
        Args: {
          "args"?: Json;
          "command_type": string;
          "device_id": number;
          "expires_in_s"?: number;
          "idempotency_key"?: string;
        };
        Returns: {
          "args": NonNullable<Json>;
          "command_type": string;
          "created_at": string;
          "created_by": string;
          "device_id": number;
          "executing_at": string | null;
          "expires_at": string;
          "finished_at": string | null;
          "id": number;
          "idempotency_key": string | null;
          "is_approved": boolean | null;
          "is_dangerous": boolean;
          "resend_of": number | null;
          "sent_at": string | null;
          "status": Database["public"]["Enums"]["command_status"];
          "tenant_id": number;
          "time_limit_s": number;
        };
        SetofOptions: {
          from: "*";
          to: "device_commands";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "create_ingest_key": { Args: { "device_id": number; "name": string }; Returns: string };
      "device_health": {
        Args: { "only_device_id"?: number };
        Returns: {
          "components": Json;
          "confidence": number;
          "device_id": number;
          "score": number;
        }[];
      };
      "device_uptime": {
        Args: { "device_id": number; "from_time": string; "to_time": string };
        Returns: {
          "downtime_s": number;
          "incidents": number;
          "total_s": number;
          "uptime_share": number;
        }[];
      };
      "devices_within": {
        Args: { "latitude": number; "longitude": number; "radius_m": number };
        Returns: {
          "device_id": number;
          "device_key": string;
          "device_latitude": number;
          "device_longitude": number;
          "device_name": string;
          "distance_m": number;
          "kind": string;
          "site_id": number;
          "tenant_id": number;
        }[];
      };
      "discover_devices": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "building": string;
          "device_id": number;
          "device_key": string;
          "device_name": string;
          "device_status": Database["public"]["Enums"]["device_status"];
          "floor": string;
          "hub_id": number;
          "kind": string;
          "last_seen_at": string;
          "latitude": number;
          "longitude": number;
          "room": string;
          "sends": (string)[];
          "site_id": number;
          "site_name": string;
          "status": string;
          "tenant_id": number;
        }[];
      };
      "dismiss_person": { Args: { "email": string }; Returns: string };
      "finish_archive": {
        Args: {
          "archive_id": number;
          "bytes": number;
          "object_path": string;
          "rows": number;
          "sha256": string;
        };
        Returns: undefined;
      };
      "get_flow_statistics": {
        Args: { "device_id": number; "end_time": string; "start_time": string };
        Returns: {
          "flow_rate_lpm_max": number;
          "flow_rate_lpm_mean": number;
          "flow_rate_lpm_min": number;
          "peak_at": string;
          "readings": number;
          "total_volume_l": number;
        }[];
      };
      "get_latest_flow_data": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "battery_v": number;
          "cumulative_volume_l": number;
          "device_id": number;
          "device_key": string;
          "device_name": string;
          "flow_rate_lpm": number;
          "pressure_bar": number;
          "quality": number;
          "recorded_at": string;
          "site_id": number;
          "status": string;
          "temperature_c": number;
          "tenant_id": number;
        }[];
      };
      "ingest_readings": { Args: { "key_hash": string; "readings": Json }; Returns: Json };
      "job_status": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "failures_in_a_row": number;
          "is_enabled": boolean;
          "is_scheduled": boolean;
          "is_stale": boolean;
          "job": string;
          "last_duration_ms": number;
          "last_error": string;
          "last_finished_at": string;
          "last_result": string;
          "last_started_at": string;
          "period_s": number;
          "stale_since": string;
        }[];
      };
      "metrics_summary": {
        Args: { "group_by"?: string; "time_range"?: string };
        Returns: {
          "cpu_percent_mean": number;
          "devices": number;
          "devices_online": number;
          "group_name": string;
          "heartbeats": number;
          "queue_length_max": number;
          "ram_percent_mean": number;
          "readings": number;
          "scans": number;
          "site_id": number;
          "storage_percent_max": number;
          "temperature_c_max": number;
          "tenant_id": number;
        }[];
      };
      "open_device_session": {
        Args: { "device_key": string; "refresh_hash": string; "secret_hash": string };
        Returns: {
          "device_id": number;
          "verdict": string;
        }[];
      };
      "read_archive": {
        Args: { "after_row"?: number; "archive_id": number; "batch_size"?: number };
        Returns: {
          "line": Json;
          "row_number": number;
        }[];
      };
      "refresh_device_session": {
        Args: { "next_hash": string; "refresh_hash": string };
        Returns: {
          "device_id": number;
          "device_key": string;
          "verdict": string;
        }[];
      };
      "register_device": {
        Args: {
          "device_key": string;
          "hub_key"?: string;
          "is_approved"?: boolean;
          "is_roaming"?: boolean;
          "kind": string;
          "name"?: string;
          "secret_hash": string;
          "tenant"?: string;
        };
        Returns: number;
      };
      "release_archive": { Args: { "archive_id": number }; Returns: undefined };
      "report_command": {
        Args: {
          "command_id": number;
          "duration_ms"?: number;
          "exit_code"?: number;
          "result"?: Json;
          "status": Database["public"]["Enums"]["command_status"];
          "stderr"?: string;
          "stdout"?: string;
        };
        Returns: Database["public"]["Enums"]["command_status"];
      };
      "resend_command": {
        Args: { "command_id": number; "idempotency_key"?: string };
        Returns: {
          "args": NonNullable<Json>;
          "command_type": string;
          "created_at": string;
          "created_by": string;
          "device_id": number;
          "executing_at": string | null;
          "expires_at": string;
          "finished_at": string | null;
          "id": number;
          "idempotency_key": string | null;
          "is_approved": boolean | null;
          "is_dangerous": boolean;
          "resend_of": number | null;
          "sent_at": string | null;
          "status": Database["public"]["Enums"]["command_status"];
          "tenant_id": number;
          "time_limit_s": number;
        };
        SetofOptions: {
          from: "*";
          to: "device_commands";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "resolve_alert": {
        Args: { "alert_id": number; "note"?: string };
        Returns: {
          "acknowledged_at": string | null;
          "acknowledged_by": string | null;
          "alert_type": string;
          "cleared_at": string | null;
          "created_at": string;
          "details": NonNullable<Json>;
          "device_id": number | null;
          "id": number;
          "is_acknowledged": boolean;
          "is_active": boolean;
          "message": string;
          "raised_at": string;
          "recorded_at": string;
          "resolved_at": string | null;
          "resolved_by": string | null;
          "rule_id": number | null;
          "severity": Database["public"]["Enums"]["alert_severity"];
          "silenced_until": string | null;
          "threshold": number | null;
          "title": string;
          "value": number | null;
        };
        SetofOptions: {
          from: "*";
          to: "alerts";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "revoke_ingest_key": { Args: { "id": number }; Returns: string };
      "run_jobs": {
        Args: Record<PropertyKey, never>;
        Returns: {
          "detail": string;
          "error": string;
          "is_run": boolean;
          "job": string;
        }[];
      };
      "set_device_secret": { Args: { "device_key": string; "secret_hash": string }; Returns: number };
      "settle_audit_entries": {
        Args: { "ids": (number)[]; "is_sent": boolean; "leased_until": string };
        Returns: number;
      };
      "settle_notification": {
        Args: { "attempts": number; "error"?: string; "is_sent": boolean; "notification_id": number };
        Returns: undefined;
      };
      "silence_alerts": {
        Args: { "device_id"?: number; "reason": string; "rule_id"?: number; "until_time": string };
        Returns: {
          "created_at": string;
          "created_by": string | null;
          "device_id": number | null;
          "id": number;
          "reason": string;
          "rule_id": number | null;
          "silenced_until": string;
        };
        SetofOptions: {
          from: "*";
          to: "alert_silences";
          isOneToOne: true;
          isSetofReturn: false;
        };
      };
      "sla_report": {
        Args: { "from_time": string; "group_by"?: string; "to_time": string };
        Returns: {
          "devices": number;
          "downtime_s": number;
          "group_id": number;
          "group_name": string;
          "incidents": number;
          "total_s": number;
          "uptime_share": number;
        }[];
      };
      "switch_archiving": { Args: { "is_on": boolean }; Returns: number };
      "telemetry_chart": {
        Args: {
          "device_id": number;
          "from_time": string;
          "metric": string;
          "points"?: number;
          "table_name"?: string;
          "to_time": string;
        };
        Returns: {
          "bucket_at": string;
          "max": number;
          "mean": number;
          "min": number;
          "readings": number;
        }[];
      };
      "upload_latency": {
        Args: { "from_time": string; "to_time": string };
        Returns: {
          "p50_ms": number;
          "p95_ms": number;
          "p99_ms": number;
          "readings": number;
        }[];
      };
    };
    Enums: {
      "alert_severity": "info" | "warning" | "critical";
      "command_status":
        | "pending"
        | "sent"
        | "executing"
        | "executed"
        | "failed"
        | "timeout"
        | "expired"
        | "cancelled";
      "device_status": "pending" | "approved" | "active" | "retired";
      "tenant_type": "distributor" | "community" | "customer";
      "user_role": "viewer" | "operator" | "admin" | "superadmin";
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof (
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
    )
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals } ? (
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
  )[TableName] extends {
    Row: infer R;
  } ? R
  : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R;
    } ? R
    : never
  : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
    Insert: infer I;
  } ? I
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I;
    } ? I
    : never
  : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
    Update: infer U;
  } ? U
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U;
    } ? U
    : never
  : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never;

export const Constants = {
  "public": {
    Enums: {
      "alert_severity": ["info", "warning", "critical"],
      "command_status": [
        "pending",
        "sent",
        "executing",
        "executed",
        "failed",
        "timeout",
        "expired",
        "cancelled",
      ],
      "device_status": ["pending", "approved", "active", "retired"],
      "tenant_type": ["distributor", "community", "customer"],
      "user_role": ["viewer", "operator", "admin", "superadmin"],
    },
  },
} as const;
