// Written by `make types` from the applied migrations; changes here are lost.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  "public": {
    Tables: {
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
          "cpu_percent": number | null;
          "device_id": number;
          "epoch": number;
          "network_status": string | null;
          "quality": number;
          "queue_length": number | null;
          "ram_percent": number | null;
          "received_at": string;
          "recorded_at": string;
          "seq": number;
          "storage_percent": number | null;
          "temperature_c": number | null;
          "time_quality": number;
          "uptime_s": number | null;
        };
        ComputedFields: never;
        Insert: {
          "cpu_percent"?: number | null;
          "device_id": number;
          "epoch": number;
          "network_status"?: string | null;
          "quality": number;
          "queue_length"?: number | null;
          "ram_percent"?: number | null;
          "received_at"?: string;
          "recorded_at": string;
          "seq": number;
          "storage_percent"?: number | null;
          "temperature_c"?: number | null;
          "time_quality": number;
          "uptime_s"?: number | null;
        };
        Update: {
          "cpu_percent"?: number | null;
          "device_id"?: number;
          "epoch"?: number;
          "network_status"?: string | null;
          "quality"?: number;
          "queue_length"?: number | null;
          "ram_percent"?: number | null;
          "received_at"?: string;
          "recorded_at"?: string;
          "seq"?: number;
          "storage_percent"?: number | null;
          "temperature_c"?: number | null;
          "time_quality"?: number;
          "uptime_s"?: number | null;
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
      [_ in never]: never;
    };
    Functions: {
      "assign_role": {
        Args: { "email": string; "role": Database["public"]["Enums"]["user_role"]; "tenant_id": number };
        Returns: string;
      };
      "authorize_device": {
        Args: { "device_key": string; "secret_hash": string };
        Returns: {
          "device_id": number;
          "verdict": string;
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
      "dismiss_person": { Args: { "email": string }; Returns: string };
      "register_device": {
        Args: {
          "device_key": string;
          "hub_key"?: string;
          "is_approved"?: boolean;
          "kind": string;
          "name"?: string;
          "secret_hash": string;
          "tenant"?: string;
        };
        Returns: number;
      };
      "set_device_secret": { Args: { "device_key": string; "secret_hash": string }; Returns: number };
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
      "device_status": ["pending", "approved", "active", "retired"],
      "tenant_type": ["distributor", "community", "customer"],
      "user_role": ["viewer", "operator", "admin", "superadmin"],
    },
  },
} as const;
