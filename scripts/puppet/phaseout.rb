# Puppet custom fact (lib/facter/phaseout.rb of a module): the result of the newest report on this machine.
#
# Facter runs far more often than scans do, so the fact starts no scan but reads the reports of phaseout_report. Without
# a report there is no fact. A report that is damaged, says nothing or is older than a week makes no machine clean.
# References: https://www.puppet.com/docs/puppet/latest/fact_overview
require 'csv'
require 'time'

Facter.add(:phaseout) do
  confine kernel: %w[Linux Darwin]
  setcode do
    folders = [ENV['PHASEOUT_REPORTS'], '/var/lib/phaseout', '/Library/Application Support/phaseout'].compact
    reports = folders.flat_map { |folder| Dir.glob(File.join(folder, '*.csv')) }
    newest = reports.max_by { |file| file[/\d{8}T\d{6}Z(?=(-\h{16})?\.csv\z)/].to_s }
    next nil if newest.nil?

    begin
      rows = CSV.read(newest, headers: true, encoding: 'UTF-8').map(&:to_h)
      scanned_at = rows.first && rows.first['scanned_at']
      old = (Time.now - Time.iso8601(scanned_at.to_s)).abs > 7 * 86_400
    rescue CSV::MalformedCSVError, ArgumentError, SystemCallError
      rows ||= []
      old = true
    end
    verdicts = rows.map { |row| row['verdict'] }
    verdict = %w[replace review incomplete clean].find { |one| verdicts.include?(one) } || 'incomplete'
    {
      'verdict' => verdict == 'clean' && old ? 'incomplete' : verdict,
      'scanned_at' => scanned_at,
      'replace' => rows.select { |row| row['verdict'] == 'replace' }.map { |row| row['product'] }.uniq,
      'review' => rows.select { |row| row['verdict'] == 'review' }.map { |row| row['product'] }.uniq,
    }
  end
end
