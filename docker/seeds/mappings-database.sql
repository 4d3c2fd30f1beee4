create database mappings;
